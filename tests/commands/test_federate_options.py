"""Options that the command shares with the library have one default each."""

from dataclasses import fields
from typing import Any, get_args

import pytest

from tastemaker.commands import federate_options as options
from tastemaker.errors import BadInput
from tastemaker.federate import bad_clients
from tastemaker.federate.baselines import FedGKD, FedNTD, FedProx, Moon
from tastemaker.federate.classifiers import Mlp
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.deployment import ClientPlace, ServerPlace
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.privacy import PrivacyConfig
from tastemaker.federate.rounds import FederationConfig
from tastemaker.run.federate_parts import PartitionConfig

GIVEN = options.SimulateOptions(data="a.csv", label="y")


def test_defaults_are_those_of_the_library() -> None:
    own = vars(GIVEN)
    for kind in (LocalConfig, FederationConfig, PartitionConfig):
        for one in fields(kind):
            if one.name not in ("local", "gate", "privacy"):
                assert own[one.name] == one.default, one.name
    assert GIVEN.hidden == Mlp().hidden
    groups: dict[str, Any] = {"fedssd": FedSSD(), "fedprox": FedProx(), "fedntd": FedNTD(),
                              "fedgkd": FedGKD(), "moon": Moon()}  # fmt: skip
    for name, method in groups.items():
        assert vars(own[name]) == vars(method)
    assert vars(GIVEN.privacy) == vars(PrivacyConfig()) | {"noise": 0.0}
    gate = vars(GateConfig()) | {"updates": ClipConfig().updates}
    assert vars(GIVEN.gate) == {name: gate[name] for name in vars(GIVEN.gate)}


def test_a_server_has_the_defaults_of_the_library_too() -> None:
    pytest.importorskip("flwr", reason="flwr is not installed: it comes with the extra federated")
    own = vars(options.ServerOptions(data="a.csv", clients="c.json"))
    for one in fields(ServerPlace):
        assert (own[one.name] or None) == one.default, one.name
    client = vars(options.ClientOptions(data="a", server="s:1", key="k"))
    for one in fields(ClientPlace):
        if one.name in client and one.name not in ("key", "address"):
            assert (client[one.name] or None) == (one.default or None), one.name


def test_names_are_those_of_the_library() -> None:
    faults = [name.replace("-", " ") for name in get_args(options.Fault)]
    assert faults == list(get_args(bad_clients.Fault))


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"data": ""}, "--data"),
        ({"seed": -1}, "--seed"),
        ({"out": ".."}, "--out"),
        ({"clients": 0}, "--clients"),
        ({"batch": 0}, "--batch"),
        ({"side": 5000}, "--side"),
        ({"by": "town", "clients": 3}, "--clients"),
        ({"by": "town", "alpha": 0.5}, "--alpha"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        options.SimulateOptions(**{"data": "a.csv", "label": "y"} | given)
    assert fault.value.where == where


@pytest.mark.parametrize(
    ("kind", "given", "where"),
    [
        (options.ServerOptions, {"data": "a"}, "--clients"),
        (options.ServerOptions, {"clients": "c"}, "--data"),
        (options.ServerOptions, {"data": "a", "clients": "c", "rounds": 0}, "--rounds"),
        (options.ClientOptions, {}, "--data"),
        (options.ClientOptions, {"data": "a", "key": "k"}, "--server"),
        (options.ClientOptions, {"data": "a", "server": "s:1"}, "--key"),
    ],
)
def test_nobody_leads_or_joins_without_saying_how(
    kind: Any, given: dict[str, Any], where: str
) -> None:
    with pytest.raises(BadInput) as fault:
        kind(**given)
    assert fault.value.where == where
