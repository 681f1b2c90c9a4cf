"""tastemaker federate: one model from the data of many, none of which leaves its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tastemaker.commands.federate_log import LogOptions, named, names_log, refuse_foreign
from tastemaker.commands.federate_options import (
    ClientOptions,
    DataOptions,
    ReportOptions,
    ServerOptions,
    SimulateOptions,
)
from tastemaker.commands.federate_shown import show_federation, show_joined
from tastemaker.commands.federate_training import RoundOptions
from tastemaker.commands.verbs import Later, Verb
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject, refuse_unreadable

if TYPE_CHECKING:
    from tastemaker.data.labelled import Labelled
    from tastemaker.federate.bad_clients import Fault
    from tastemaker.federate.objectives import Method
    from tastemaker.federate.rounds import FederationConfig
    from tastemaker.run.federate_results import FederateConfig


def federate_simulate(options: SimulateOptions) -> JsonObject:
    """Train one classifier from the data of many clients, simulated in this process."""
    from tastemaker.run.federate import federate

    config = replace(_config(options), **_faults(options))
    return federate(config, _data(options, options.by), options.out, options.resume)


def federate_log(options: LogOptions) -> JsonObject:
    """Train one next-item model from the histories of many silos, simulated in this process."""
    from tastemaker.run.federate_log import LogConfig, federate_log

    config = LogConfig(_method(options), _federation(options), panel=options.panel)
    config = replace(config, **_faults(options))
    return federate_log(config, options.data, options.by, options.out, options.resume)


def federate_server(options: ServerOptions) -> JsonObject:
    """Lead a federation whose clients join over the network."""
    from tastemaker.federate.deployment import ServerPlace
    from tastemaker.federate.keys import read_clients
    from tastemaker.run.federate_served import serve

    place = ServerPlace(
        options.address,
        _path(options.certificate),
        _path(options.private_key),
        options.first,
        options.timeout,
    )
    clients, config = read_clients(Path(options.clients)), _config(options)
    return serve(config, _data(options), place, clients, options.out, options.resume)


def federate_client(options: ClientOptions) -> JsonObject:
    """Take part in a federation with data that stays here."""
    from tastemaker.federate.deployment import ClientPlace
    from tastemaker.run.federate_served import MEMORY, join

    name = options.name or Path(options.key).stem
    out = Path(options.out or f"runs/federated-{name}")
    path = Path(options.data)
    refuse_unreadable(path)
    if not path.exists():
        raise BadInput("There is no such file or folder.", options.data, "Check the path.")
    place = ClientPlace(
        options.server,
        Path(options.key),
        _path(options.authority),
        options.insecure,
        out / MEMORY,
        options.patience,
    )
    return join(place, name, path, str(out))


def federate_report(options: ReportOptions) -> JsonObject:
    """Write the page of a finished federation again, and show what it tells."""
    from tastemaker.run.federate_job import report

    return report(Path(options.run))


def _path(name: str) -> Path | None:
    return Path(name) if name else None


def _faults(options: SimulateOptions | LogOptions) -> dict[str, Any]:
    """What goes wrong, as it is called in a config."""
    faults = tuple(cast("Fault", fault.replace("-", " ")) for fault in options.bad)
    return {"faults": faults, "lost": options.lost}


def _federation(options: RoundOptions) -> FederationConfig:
    from tastemaker.federate.client import LocalConfig
    from tastemaker.federate.clipping import ClipConfig
    from tastemaker.federate.gate import GateConfig
    from tastemaker.federate.privacy import PrivacyConfig
    from tastemaker.federate.rounds import FederationConfig

    gate = dict(vars(options.gate))
    clip = ClipConfig(updates=gate.pop("updates"))
    return FederationConfig(
        **_named(FederationConfig, options, "gate", "privacy"),
        local=LocalConfig(**_named(LocalConfig, options)),
        gate=GateConfig(**gate, clip=clip),
        privacy=PrivacyConfig(**vars(options.privacy)) if options.privacy.noise else None,
    )


def _config(options: SimulateOptions | ServerOptions) -> FederateConfig:
    from tastemaker.federate.classifiers import Cnn, Logistic, Mlp
    from tastemaker.run.federate_parts import PartitionConfig
    from tastemaker.run.federate_results import FederateConfig

    kinds: dict[str, Mlp | Cnn | Logistic | None] = {
        "mlp": Mlp(options.hidden), "cnn": Cnn(), "logistic": Logistic(), "auto": None,
    }  # fmt: skip
    model = kinds["mlp" if options.model == "auto" and options.label else options.model]
    dealt = isinstance(options, SimulateOptions)
    partition = _named(PartitionConfig, options, *(() if dealt else ("clients",)))
    return FederateConfig(
        _method(options),
        _federation(options),
        model=model,
        partition=PartitionConfig(**partition),
    )


def _named(kind: type[Any], options: RoundOptions, *but: str) -> dict[str, Any]:
    """Options that a config calls the same."""
    given = vars(options)
    names = [one.name for one in fields(kind)]
    return {name: given[name] for name in names if name in given and name not in but}


def _method(options: RoundOptions) -> Method:
    from tastemaker.federate.baselines import FedAvg, FedGKD, FedNTD, FedProx, Moon, Scaffold
    from tastemaker.federate.fedssd import FedSSD

    kinds = {
        "fedssd": FedSSD, "fedavg": FedAvg, "fedprox": FedProx, "fedntd": FedNTD,
        "fedgkd": FedGKD, "moon": Moon, "scaffold": Scaffold,
    }  # fmt: skip
    own = vars(options).get(options.method)
    made: Method = kinds[options.method](**(vars(own) if own else {}))
    return made


def _data(options: DataOptions, by: str = "") -> Labelled:
    from tastemaker.data.labelled import read_table
    from tastemaker.models.labelled_pictures import holds_pictures, read_pictures

    path = Path(options.data)
    refuse_unreadable(path)
    if not path.is_dir():
        if not options.label:
            fix = "Name the column of the class with --label."
            raise BadInput(
                "A table does not say which of its columns is the class.", "--label", fix
            )
        return read_table(path, options.label, by, options.without)
    if options.label or by or options.without:
        what = "A folder is no table, and has no columns."
        fix = "Give the path of a file, or leave out --label, --by and --without."
        raise BadInput(what, options.data, fix)
    if not holds_pictures(path):
        fix = "Put pictures into a folder for each class, or give the path of a table or of a log."
        raise BadInput(
            "The folder has no folders with pictures in them, and no interactions.",
            options.data,
            fix,
        )
    return read_pictures(path, options.side)


def _one_thread(options: object) -> int:
    """A client's step is too small for several."""
    return 1


def _simulate(words: Sequence[str]) -> Verb:
    """What is simulated: a classifier, or where the data is a log a next-item model."""
    if not names_log(named(words)):
        return Verb(federate_simulate, SimulateOptions, show_federation, _one_thread)
    refuse_foreign(words)
    return Verb(federate_log, LogOptions, show_federation, _one_thread)


VERBS: dict[str, Verb | Later] = {
    "federate simulate": Later(
        "Train one model from the data of many clients, simulated in this process.", _simulate
    ),
    "federate server": Verb(federate_server, ServerOptions, show_federation, _one_thread),
    "federate client": Verb(federate_client, ClientOptions, show_joined, _one_thread),
    "federate report": Verb(federate_report, ReportOptions, show_federation),
}
