"""The rounds of a federation: choose, send, gather, judge, average, measure, and keep.

Whoever carries the messages (this process, or Flower) is an `Engine`; the loop is the same. A round
depends on the seed, its number and the weights before it alone, so a server that is killed at any
point and started again ends with the weights of an undisturbed one, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from torch import nn

from tastemaker.federate.client import LocalConfig
from tastemaker.files import JsonObject
from tastemaker.seams import ClientData, Engine

METRICS = "metrics.jsonl"
"""One line a round."""
Evaluate = Callable[[nn.Module], Mapping[str, float]]
"""`accuracy`, `worst_class` and `loss` of a global model in eval mode, and what else is told."""
Measure = Callable[[nn.Module], tuple[float, ...]]
"""(K,) M_class of a global model in eval mode."""


@dataclass(frozen=True)
class FederationConfig:
    """How a federation goes."""

    rounds: int = 40
    share: float = 1.0
    """of the clients, chosen anew for every round"""
    failures: int = 3
    """failed rounds in a row after which it stops"""
    tune_on_auxiliary: bool = False
    """after each round the server takes a pass of plain SGD over its auxiliary set"""
    local: LocalConfig = field(default_factory=LocalConfig)
    # gate: GateConfig, privacy: PrivacyConfig | None (as soon as they are there)


@dataclass(frozen=True, eq=False)
class Parties:
    """Who and what a federation is made of, beside its model."""

    engine: Engine
    clients: Mapping[str, int]
    """name → most examples that it may claim in a reply"""
    evaluate: Evaluate
    auxiliary: ClientData | None = None
    """labelled examples of the server's own, of no client and not of the test"""
    credibility: Measure | None = None
    """how M_class is measured; None: class by class on `auxiliary`, where a method asks for it"""


@dataclass(frozen=True)
class Federated:
    """How a federation went."""

    rounds: int
    failed: int
    """rounds without a quorum, after which the model was as before"""
    history: list[JsonObject]
    """a record of each round, as in `metrics.jsonl`"""
    cpu_seconds: float
    """of this process, over all starts"""


class Federation:
    """One federated training.

    `Federation(model, method, parties, config).run(out, resume, watch)` trains `model` in place.
    """

    def __init__(
        self, model: nn.Module, method: object, parties: Parties, config: FederationConfig
    ) -> None:
        """Prepare.

        Args:
            model: A `Federable` module; it is left with the global weights.
            method: What clients minimise (`federate.objectives.Method`).
            parties: Who takes part.
            config: How it goes.

        Raises:
            BadInput: If the method asks for an auxiliary set and there is none.
        """
        raise NotImplementedError

    def run(
        self,
        out: Path | None = None,
        resume: bool = False,
        watch: Callable[[JsonObject], None] | None = None,
    ) -> Federated:
        """Go through all rounds.

        Args:
            out: Folder for `metrics.jsonl`, `audit.jsonl` and `checkpoints/`; nothing is written
                without it.
            resume: Go on from the newest checkpoint of `out`, if it has one.
            watch: Called with the record of each round.

        Raises:
            Unavailable: After `config.failures` rounds in a row without a quorum.
            Stopped: After SIGTERM or Ctrl-C, once the checkpoint of the round before is whole.
        """
        raise NotImplementedError
