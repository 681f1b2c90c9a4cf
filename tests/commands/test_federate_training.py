"""Options of training that mean nothing, or would change nothing, are refused."""

from typing import Any

import pytest

from tastemaker.commands.federate_log import LogOptions
from tastemaker.commands.federate_options import ReportOptions
from tastemaker.commands.federate_training import (
    FedSSDOptions,
    MoonOptions,
    PrivacyOptions,
    TrainingOptions,
    defaults_of,
)
from tastemaker.errors import BadInput


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"seed": -1}, "--seed"),
        ({"out": ".."}, "--out"),
        ({"epochs": 0}, "--epochs"),
        ({"model": "cnn", "hidden": (3,)}, "--hidden"),
        ({"optimizer": "adam", "momentum": 0.5}, "--momentum"),
        ({"method": "fedavg", "fedssd": FedSSDOptions(m_max=2)}, "--fedssd"),
        ({"moon": MoonOptions(mu=2)}, "--moon"),
        ({"privacy": PrivacyOptions(delta=1e-6)}, "--privacy.noise"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, Any], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        TrainingOptions(**given).check_training()
    assert fault.value.where == where


def test_what_can_be_meant_is_not() -> None:
    TrainingOptions(method="moon", moon=MoonOptions(mu=2), hidden=(8,)).check_training()


def test_what_an_option_is_where_it_is_not_given() -> None:
    plain = defaults_of(LogOptions(by="shop", rounds=7))
    assert (plain["rounds"], plain["by"], plain["fedssd"].centred) == (20, "", True)
    assert defaults_of(ReportOptions("run")) == {}
