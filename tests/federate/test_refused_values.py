"""Values that mean nothing are refused where they are given, and not by what trips over them."""

import math
from typing import Any

import pytest

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedGKD, FedNTD, FedProx, Moon
from tastemaker.federate.classifiers import Mlp
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.privacy import PrivacyConfig
from tastemaker.federate.rounds import FederationConfig

NO_NUMBERS = (math.nan, math.inf, -math.inf)
WRONG: list[tuple[Any, str, tuple[float, ...]]] = [
    (LocalConfig, "epochs", (0, -1)),
    (LocalConfig, "batch", (0, -1)),
    (LocalConfig, "lr", (0, -1, *NO_NUMBERS)),
    (LocalConfig, "momentum", (-0.5, 1, 2, *NO_NUMBERS)),
    (LocalConfig, "weight_decay", (-1, *NO_NUMBERS)),
    (LocalConfig, "clip", (-1, *NO_NUMBERS)),
    (GateConfig, "size", (-1,)),
    (GateConfig, "share", (-0.1, 1.1, *NO_NUMBERS)),
    (GateConfig, "minimum", (0, -1)),
    (ClipConfig, "updates", (-1, *NO_NUMBERS)),
    (ClipConfig, "few", (-1, *NO_NUMBERS)),
    (ClipConfig, "rows", (-1, *NO_NUMBERS)),
    (ClipConfig, "alone", (-1, *NO_NUMBERS)),
    (ClipConfig, "counts", (-1,)),
    (PrivacyConfig, "noise", (-1, *NO_NUMBERS)),
    (PrivacyConfig, "clip", (0, -1, *NO_NUMBERS)),
    (PrivacyConfig, "delta", (0, -1, 1, 2, *NO_NUMBERS)),
    (FedSSD, "m_max", (-1, *NO_NUMBERS)),
    (FedSSD, "threshold", (-1, *NO_NUMBERS)),
    (FedProx, "mu", (-1, *NO_NUMBERS)),
    (FedNTD, "beta", (-1, *NO_NUMBERS)),
    (FedNTD, "temperature", (0, -1, *NO_NUMBERS)),
    (FedGKD, "gamma", (-1, *NO_NUMBERS)),
    (Moon, "mu", (-1, *NO_NUMBERS)),
    (Moon, "temperature", (0, -1, *NO_NUMBERS)),
    (FederationConfig, "rounds", (0, -1)),
    (FederationConfig, "failures", (0, -1)),
    (FederationConfig, "share", (0, -1, 1.1, *NO_NUMBERS)),
]


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [(kind, name, value) for kind, name, values in WRONG for value in values],
)
def test_what_means_nothing_is_refused_by_its_name(kind: Any, name: str, value: float) -> None:
    with pytest.raises(BadInput) as fault:
        kind(**{name: value})
    assert name in fault.value.where and fault.value.exit_code == 2


@pytest.mark.parametrize("hidden", [(0,), (-1,), (64, 0), (1_000_000_000,)])
def test_a_layer_lets_something_through_and_fits_into_memory(hidden: tuple[int, ...]) -> None:
    with pytest.raises(BadInput) as fault:
        Mlp(hidden)
    assert fault.value.where == "hidden"


def test_the_least_and_the_most_there_is_are_taken() -> None:
    LocalConfig(epochs=1, batch=1, lr=1e-12, momentum=0, weight_decay=0, clip=0)
    LocalConfig(momentum=0.999)
    GateConfig(size=0, share=0, minimum=1, clip=ClipConfig(0, 0, 0, 0, 0, 0))
    GateConfig(share=1)
    FederationConfig(rounds=1, failures=1, share=1e-9)
    assert Mlp(()).hidden == () and Mlp((1,)).hidden == (1,)
