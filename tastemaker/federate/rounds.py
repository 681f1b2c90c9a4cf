"""The rounds of a federation: choose, send, gather, judge, average, measure, and keep.

Whoever carries the messages (this process, or Flower) is an `Engine`; the loop is the same. A round
depends on the seed, its number and what was before it alone, so a server that is killed at any
point and started again ends with the weights of an undisturbed one, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from torch import nn

from tastemaker import records
from tastemaker.config import to_json
from tastemaker.counts import counted
from tastemaker.errors import BadInput, NumericFault, Unavailable
from tastemaker.federate.aggregation import distance
from tastemaker.federate.baselines import Scaffold
from tastemaker.federate.checkpoints import Position, RoundCheckpoints
from tastemaker.federate.client import LocalConfig, federable, seed_of, shared
from tastemaker.federate.evaluation import Evaluate
from tastemaker.federate.fedssd import FedSSD, measured
from tastemaker.federate.gate import Gate, GateConfig, Judged, audit, keep_audit
from tastemaker.federate.objectives import Method
from tastemaker.federate.privacy import PrivacyConfig, spent
from tastemaker.federate.server_step import (
    asked,
    averaged,
    bounded_gate,
    privately,
    refuse_unbounded,
    tuned,
)
from tastemaker.federate.traffic import Traffic, sent
from tastemaker.files import JsonObject, make_folder
from tastemaker.seams import Broadcast, ClientData, Engine, Remembers, Reply
from tastemaker.train.stopping import Listener, listening

if TYPE_CHECKING:
    from tastemaker.seams.federating import Tensors

METRICS, AUDIT = "metrics.jsonl", "audit.jsonl"
"""One line a round, and one for every reply that was rejected or shortened."""
Watch = Callable[[JsonObject], None]
_LOOKED_AT = 1000
"""Auxiliary examples that are looked at at once."""


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
    """how clients train, and the seed of everything"""
    gate: GateConfig = field(default_factory=GateConfig)
    """what a reply must be, and how many there must be"""
    privacy: PrivacyConfig | None = None
    """bounds what the models of all rounds tell of a client; clients are then drawn one by one"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing."""
        if self.rounds < 1 or self.failures < 1 or not 0 < self.share <= 1:
            told = f"rounds {self.rounds}, failures {self.failures}, share {self.share:g}"
            fix = "Give at least one round and one failure, and a share above 0 and up to 1."
            raise BadInput("These make no federation.", told, fix)


@dataclass(frozen=True, eq=False)
class Parties:
    """Who and what a federation is made of, beside its model."""

    engine: Engine
    clients: Mapping[str, int]
    """name → most examples that it may claim in a reply"""
    evaluate: Evaluate
    auxiliary: ClientData | None = None
    """labelled examples of the server's own, of no client and not of the test"""
    secret: str = ""
    """what the noise of privacy is drawn from, beside the seed: who knows both can take it off"""


@dataclass(frozen=True)
class Federated:
    """How a federation went."""

    rounds: int
    failed: int
    """rounds without a quorum, after which the model was as before"""
    history: list[JsonObject]
    """a record of each round, as in `metrics.jsonl`"""
    cpu_seconds: float = field(compare=False)
    """of this process, over all starts"""


class Federation:
    """One federated training."""

    def __init__(
        self, model: nn.Module, method: Method, parties: Parties, config: FederationConfig
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            model: A `Federable` module; `run` leaves it with the global weights.
            method: What clients minimise.
            parties: Who takes part.
            config: How it goes.

        Raises:
            BadInput: If there are too few clients, or no auxiliary set where one is needed.
        """
        if len(parties.clients) < config.gate.minimum:
            few = counted(len(parties.clients), "client")
            what = f"A round needs {config.gate.minimum} replies, and there is only {few}."
            raise BadInput(what, "federation", "Add clients, or lower the gate's minimum.")
        self.model, self.method, self.parties, self.config = model, method, parties, config
        self.measures = isinstance(method, FedSSD) and method.asks
        if parties.auxiliary is None and (self.measures or config.tune_on_auxiliary):
            what = f"{type(method).__name__} needs labelled examples of the server's own."
            fix = "Give an auxiliary set, a few examples of each class, that no client holds."
            raise BadInput(what, "auxiliary set", fix)
        self.by_row, weights, gate = federable(model).by_row, shared(model), config.gate
        if config.privacy:
            refuse_unbounded(method, self.by_row)
            gate = bounded_gate(gate)
        self.gate = Gate(gate, weights, parties.clients, self.by_row)
        control: Tensors = {}
        if isinstance(method, Scaffold):
            names = [name for name, _ in model.named_parameters() if name in weights]
            control = {name: 0 * weights[name] for name in names}
        self.position = Position(0, weights, control)
        self.history: list[JsonObject] = []

    def run(
        self, out: Path | None = None, resume: bool = False, watch: Watch | None = None
    ) -> Federated:
        """Go through all rounds.

        Args:
            out: Folder for `metrics.jsonl`, `audit.jsonl` and `checkpoints/`; nothing is written
                without it.
            resume: Go on from the newest checkpoint of `out`, if it has one.
            watch: Called with the record of each round.

        Raises:
            BadInput: If `out` holds a federation and is not to be resumed.
            Unavailable: After `config.failures` rounds in a row without a quorum.
            NumericFault: If the averaged model gives a loss that is not finite.
            Stopped: After SIGTERM or Ctrl-C; the checkpoint of the round before is whole.
        """
        with listening(str(out) if out else "") as listener:
            began = time.process_time()
            checkpoints = self._begin(out, resume) if out else None
            began -= self.position.cpu_seconds
            for number in range(self.position.round + 1, self.config.rounds + 1):
                record, judged = self._round(number)
                spent = time.process_time() - began
                self.position = replace(self.position, round=number, cpu_seconds=spent)
                self.history.append(record)
                if out and checkpoints:
                    self._keep(out, checkpoints, judged, listener)
                if watch:
                    watch(record)
                self._refuse_failures()
        failed = sum(record["status"] == "failed" for record in self.history)
        return Federated(len(self.history), failed, self.history, self.position.cpu_seconds)

    def _begin(self, out: Path, resume: bool) -> RoundCheckpoints:
        """Take the folder, or go on with what is there."""
        make_folder(out)
        method = {"kind": type(self.method).__name__, **to_json(self.method)}
        config = to_json(self.config)
        options = {name: value for name, value in config.items() if name not in _EXTENDED}
        clients = dict(sorted(self.parties.clients.items()))
        identity = {"method": method, "options": options, "clients": clients}
        checkpoints = RoundCheckpoints(out, identity)
        if checkpoints.begun and not resume:
            fix = "Go on with resume, or choose another folder."
            raise BadInput("The folder holds a federation already.", str(out), fix)
        if position := checkpoints.load(self.position):
            self._stand(position)
            if isinstance(self.parties.engine, Remembers):
                self.parties.engine.recall(position.clients)
        self.history = records.read(out / METRICS)[: self.position.round]
        records.keep(out / METRICS, self.position.round)
        keep_audit(out / AUDIT, self.position.round)
        return checkpoints

    def _keep(
        self, out: Path, checkpoints: RoundCheckpoints, judged: Judged, listener: Listener
    ) -> None:
        """Write a round down: its lines first, since those without a checkpoint are taken back."""
        engine = self.parties.engine
        clients = engine.remembered() if isinstance(engine, Remembers) else {}
        with listener.patient():
            audit(out / AUDIT, judged)
            records.append(out / METRICS, self.history[-1])
            checkpoints.save(replace(self.position, clients=clients))

    def _round(self, number: int) -> tuple[JsonObject, Judged]:
        """One round, up to a new position and what is told of it."""
        began, before = time.monotonic(), self.position
        share, seed, privacy = self.config.share, self.config.local.seed, self.config.privacy
        chosen = asked(self.parties.clients, share, seed, number, privacy is not None)
        credibility, traffic = self._credibility(), Traffic()
        broadcast = Broadcast(number, before.weights, credibility, before.control)
        replies = traffic.counted(self.parties.engine.round(broadcast, chosen))
        judged = self.gate.judge(broadcast, replies, chosen)
        accepted = judged.accepted
        good = self.gate.quorum(len(accepted), len(chosen))
        if good:
            self._advance(number, accepted)
        lengths = () if privacy else [distance(one.weights, before.weights) for one in accepted]
        told = {
            "round": number,
            "status": "ok" if good else "failed",
            "selected": len(chosen),
            "accepted": len(accepted),
            "rejected": [
                {"client": one.client, "rule": one.rule, "value": one.value}
                for one in judged.rejections
            ],
            "clipped": len({one.client for one in judged.clipped}),
            "bytes_down": len(chosen) * sent(broadcast),
            "bytes_up": traffic.bytes,
            **self._metrics(number),
            "drift": _mean(lengths),
            "credibility": _mean(credibility),
            "epsilon": spent(privacy, number, share) if privacy and privacy.noise else None,
            "seconds": round(time.monotonic() - began, 4),
        }
        return told, judged

    def _credibility(self) -> tuple[float, ...]:
        data = self.parties.auxiliary
        if not self.measures or data is None:
            return ()
        return measured(self.model, data.batches(_LOOKED_AT, 0).epoch(0))

    def _advance(self, number: int, accepted: Sequence[Reply]) -> None:
        """Take the average of a round, and where that is wanted tune it on the auxiliary set."""
        before, config, clients = self.position, self.config, len(self.parties.clients)
        if config.privacy:
            expected, secret = max(1, round(config.share * clients)), self.parties.secret
            seed = seed_of(config.local.seed, number, f"noise {secret}")
            self._stand(privately(before, accepted, expected, config.privacy, seed))
        else:
            self._stand(averaged(before, accepted, self.by_row, clients))
        data = self.parties.auxiliary
        if config.tune_on_auxiliary and data is not None:
            weights = tuned(self.model, data, config.local, number)
            self.position = replace(self.position, weights=weights)

    def _stand(self, position: Position) -> None:
        """Be where a position says, the model with it."""
        self.position = position
        self.model.load_state_dict(dict(position.weights), strict=False)

    def _metrics(self, number: int) -> JsonObject:
        """What the evaluation says of the model as it stands."""
        self.model.eval()
        told = dict(self.parties.evaluate(self.model))
        if not all(map(math.isfinite, told.values())):
            what = f"After round {number} the averaged model gives {told}."
            fix = "Lower the learning rate or m_max; the checkpoint of the round before is sound."
            raise NumericFault(what, f"round {number}", fix)
        return {"worst_client": None, **told}

    def _refuse_failures(self) -> None:
        """Stop where too many rounds in a row had no quorum."""
        last = self.history[-self.config.failures :]
        if len(last) < self.config.failures or any(one["status"] == "ok" for one in last):
            return
        heard = f"{last[-1]['accepted']} of {counted(last[-1]['selected'], 'client')} were accepted"
        what = f"{counted(len(last), 'round')} in a row had no quorum: {heard} in the last."
        fix = "See which clients answer, and what audit.jsonl says of the others; then resume."
        raise Unavailable(what, f"round {last[-1]['round']}", fix)


_EXTENDED = ("rounds", "failures")
"""Options that may be others when a federation is resumed: they shape no round."""


def _mean(values: Sequence[float]) -> float | None:
    """None: there are none."""
    return sum(values) / len(values) if values else None
