"""A federation between machines: the server's side to a run directory, and a client's to a model.

The server sends a plan with every round: what model is trained and how, which columns or pictures
it reads, and how numbers are scaled. A client reads its own data by it, and refuses to take part
where it cannot.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from tastemaker import artifacts
from tastemaker.config import from_json, to_json
from tastemaker.data.labelled import Labelled, PictureForm, read_alike
from tastemaker.errors import BadInput
from tastemaker.federate.client import Client, LocalConfig
from tastemaker.federate.deployment import (
    ClientPlace,
    ServerPlace,
    join_federation,
    serve_federation,
)
from tastemaker.federate.objectives import Method
from tastemaker.files import JsonObject
from tastemaker.models.labelled_pictures import read_pictures_alike
from tastemaker.run.federate_job import Job
from tastemaker.run.federate_opened import MODEL, Saved, built, save_classifier
from tastemaker.run.federate_parts import examples, of_server
from tastemaker.run.federate_results import KIND, FederateConfig
from tastemaker.run.folder import only_writer
from tastemaker.train.stopping import listening
from tastemaker.weights import WEIGHTS

if TYPE_CHECKING:
    from tastemaker.federate.classifiers import Classifier
    from tastemaker.federate.flower_client import Participant
    from tastemaker.federate.keys import KnownClient

MEMORY = "memory"
"""Folder of what a client remembers between rounds."""


@dataclass(frozen=True)
class Plan:
    """What a client needs to take part."""

    model: Saved
    method: Method
    local: LocalConfig


def serve(
    config: FederateConfig,
    data: Labelled,
    place: ServerPlace,
    clients: Mapping[str, KnownClient],
    out: str = "",
    resume: bool = False,
) -> JsonObject:
    """Lead a federation whose clients join over the network, and write a run directory.

    Args:
        config: How; of the partition it takes the number of the server's examples alone.
        data: Of the server: some are its examples, the others the test.
        place: Where it listens.
        clients: Who may take part.
        out: Folder; empty: `runs/federate-METHOD-DATA`.
        resume: Go on with what was begun there.

    Returns:
        The contents of `results.json`, and `run`, the path of the folder.

    Raises:
        TastemakerError: With cause and remedy; checkpoints stay for another call with `resume`.
        Stopped: After SIGTERM or Ctrl-C.
    """
    local = config.federation.local
    job = Job(config, data, of_server(data, config.partition, local.seed, sorted(clients)), out)
    plan = to_json(Plan(job.saved, config.method, local))
    return job.run(
        resume,
        lambda folder, watch: serve_federation(
            place, clients, plan, job.federation, lambda made: made.run(folder, True, watch)
        ),
    )


def join(place: ClientPlace, name: str, source: Any, out: str) -> JsonObject:
    """Take part in a federation with data of one's own, until it ends; keep the final model.

    Args:
        place: Which server, and with which key.
        name: What the server calls this client.
        source: A table, in a file or in memory, or a folder with a folder of pictures a class.
        out: Folder; what it holds of an unfinished federation is gone on with.

    Returns:
        `run`, the folder, from which `open_federated` opens the model; how many `examples` were
        learned from, and the `classes`.

    Raises:
        BadData: With everything by which the data is not what the server's plan asks for.
        BadInput: If the folder holds a finished model, or the server is not to be trusted.
        Unavailable: If the server does not answer.
    """
    folder = Path(out)
    if (folder / artifacts.MANIFEST).exists():
        fix = "Choose another with --out, or remove it."
        raise BadInput("The folder holds a finished model.", str(folder), fix)
    if isinstance(source, str | Path) and not Path(source).exists():
        raise BadInput("There is no such file or folder.", str(source), "Give the path of data.")
    plans: list[tuple[Plan, int]] = []

    def prepare(told: JsonObject) -> Participant:
        from tastemaker.federate.flower_client import Participant

        plan = from_json(Plan, told, "the server's plan")
        held = examples(read_as(source, plan.model), plan.model.scaling)
        plans.append((plan, held.examples))
        return Participant(built(plan.model), Client(name, held), plan.method, plan.local)

    with only_writer(folder), listening():  # the same call goes on, without a word for it
        final = cast("Classifier", join_federation(place, prepare))
        plan, count = plans[-1]
        save_classifier(folder, final, plan.model)
        meta = {"method": type(plan.method).__name__, "client": name}
        artifacts.seal(folder, KIND, meta, [MODEL, WEIGHTS])
    classes = list(plan.model.form.classes)
    return {"run": str(folder), "client": name, "examples": count, "classes": classes}


def read_as(source: Any, saved: Saved) -> Labelled:
    """A client's data, read as a federation asks.

    Raises:
        BadInput: If it is a table where pictures are asked for, or the other way round.
        BadData: With everything by which it is not what is asked for.
    """
    folder = isinstance(source, str | Path) and Path(source).is_dir()
    pictures = isinstance(saved.form, PictureForm)
    if folder != pictures:
        what = "The federation learns from " + ("pictures." if pictures else "tables.")
        fix = "Give a folder with a folder of pictures a class." if pictures else "Give a file."
        raise BadInput(what, str(source) if isinstance(source, str | Path) else "the frame", fix)
    if isinstance(saved.form, PictureForm):
        return read_pictures_alike(Path(source), saved.form)
    return read_alike(source, saved.form)
