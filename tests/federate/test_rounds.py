import math
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tastemaker import records
from tastemaker.errors import ArtefactError, BadInput, NumericFault, Unavailable
from tastemaker.federate.bad_clients import BadClients
from tastemaker.federate.baselines import FedAvg, Moon, Scaffold
from tastemaker.federate.client import LocalConfig, seed_of, sgd, shared
from tastemaker.federate.evaluation import classification
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.objectives import Method
from tastemaker.federate.privacy import PrivacyConfig
from tastemaker.federate.rounds import (
    AUDIT,
    METRICS,
    Federated,
    Federation,
    FederationConfig,
    Parties,
)
from tastemaker.files import JsonObject
from tastemaker.seams import Broadcast, Reply
from tastemaker.train.step import Trainer
from tastemaker.train.stopping import Stopped
from tests.federate.digits import Silos, classifier

LOCAL = LocalConfig(epochs=3, batch=16, lr=0.1, seed=3)
PLAIN = replace(LOCAL, momentum=0.0)
CONFIG = FederationConfig(rounds=3, local=LOCAL)
SILOS = Silos()


def parties(method: Method, config: FederationConfig, silos: Silos = SILOS) -> Parties:
    engine = InProcess(classifier(), silos.clients, method, config.local)
    return Parties(engine, silos.sizes, classification(silos.test, 10), silos.auxiliary)


def federated(
    method: Method, config: FederationConfig = CONFIG, out: Path | None = None, resume: bool = False
) -> tuple[dict[str, Tensor], Federated]:
    model = classifier()
    told = Federation(model, method, parties(method, config), config).run(out, resume)
    return shared(model), told


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def timeless(history: list[JsonObject]) -> list[JsonObject]:
    return [{name: value for name, value in one.items() if name != "seconds"} for one in history]


def test_strength_zero_is_fedavg_bit_for_bit() -> None:
    plain, _ = federated(FedAvg())
    for method in (FedSSD(m_max=0), FedSSD(m_max=0, selects="none")):
        assert same(federated(method)[0], plain)
    assert not same(federated(FedSSD())[0], plain)


def test_an_untrained_teacher_is_not_believed() -> None:
    """Ten classes and a threshold of 0.1: round 1 is FedAvg, whatever the strength."""
    once = replace(CONFIG, rounds=1)
    assert same(federated(FedSSD(m_max=3), once)[0], federated(FedAvg(), once)[0])


def test_one_client_is_plain_training_bit_for_bit() -> None:
    silos = Silos(clients=1)
    model = classifier()
    Federation(model, FedAvg(), parties(FedAvg(), CONFIG, silos), CONFIG).run()
    alone = classifier()
    data = silos.clients["c0"]
    for number in (1, 2, 3):
        trainer = Trainer(alone, sgd(alone, LOCAL), math.inf)
        steps = data.batches(LOCAL.batch, seed_of(LOCAL.seed, number, "c0"))
        for epoch in range(LOCAL.epochs):
            for step in steps.epoch(epoch):
                trainer.step(step, LOCAL.lr)
    assert same(shared(model), shared(alone))


def test_it_learns() -> None:
    _, told = federated(FedSSD(), replace(CONFIG, rounds=6))
    first, last = told.history[0], told.history[-1]
    assert last["accuracy"] > 0.6 and last["accuracy"] > first["accuracy"]
    assert 0 <= first["credibility"] < last["credibility"] < 1
    assert told.rounds == 6 and told.failed == 0 and told.cpu_seconds > 0


def test_a_line_says_all_of_a_round(tmp_path: Path) -> None:
    weights, told = federated(FedSSD(), CONFIG, tmp_path)
    lines = records.read(tmp_path / METRICS)
    assert lines == told.history and [line["round"] for line in lines] == [1, 2, 3]
    size = sum(tensor.nbytes for tensor in weights.values())
    assert lines[0] | {
        "status": "ok", "selected": 4, "accepted": 4, "rejected": [], "epsilon": None,
        "bytes_down": 4 * (size + 40), "bytes_up": 4 * size, "worst_client": None,
    } == lines[0]  # fmt: skip
    assert lines[0].keys() == {
        "round", "status", "selected", "accepted", "rejected", "clipped", "bytes_down", "bytes_up",
        "accuracy", "worst_class", "worst_client", "loss", "drift", "credibility", "epsilon",
        "seconds",
    }  # fmt: skip


def test_the_same_seed_gives_the_same_rounds(tmp_path: Path) -> None:
    config = replace(CONFIG, share=0.5)
    a, first = federated(FedSSD(), config, tmp_path / "a")
    torch.manual_seed(99)
    b, second = federated(FedSSD(), config, tmp_path / "b")
    assert same(a, b) and timeless(first.history) == timeless(second.history)
    other = replace(config, local=replace(LOCAL, seed=4))
    assert timeless(federated(FedSSD(), other)[1].history) != timeless(first.history)


class Seen:
    """An engine that notes whom it is to ask."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def round(self, broadcast: Broadcast, participants: Sequence[str]) -> Iterator[Reply]:
        self.asked.append(list(participants))
        for name in participants:
            yield Reply(name, broadcast.round, broadcast.weights, 1)


def test_participants_change_from_round_to_round_whatever_the_threads() -> None:
    names = {f"c{n:02}": 1 for n in range(20)}

    def asked() -> list[list[str]]:
        engine = Seen()
        config = replace(CONFIG, rounds=12, share=0.25)
        evaluated = Parties(engine, names, lambda model: {"accuracy": 0.5})
        Federation(classifier(), FedAvg(), evaluated, config).run()
        return engine.asked

    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    first = asked()
    torch.set_num_threads(threads)
    assert first == asked() and all(len(one) == 5 and one == sorted(one) for one in first)
    assert len(set(map(tuple, first))) > 8 and len({name for one in first for name in one}) > 15


def test_clients_that_change_nothing_leave_the_model_as_it_was() -> None:
    model = classifier()
    before = shared(model)
    evaluated = Parties(Seen(), {"a": 1, "b": 1, "c": 1}, lambda model: {"accuracy": 0.5})
    Federation(model, FedAvg(), evaluated, CONFIG).run()
    assert same(shared(model), before)


def test_the_server_may_tune_on_its_own_examples() -> None:
    tuned, told = federated(FedAvg(), replace(CONFIG, tune_on_auxiliary=True))
    plain, other = federated(FedAvg())
    assert not same(tuned, plain)
    assert told.history[0]["drift"] == other.history[0]["drift"]  # clients begin alike


@pytest.mark.parametrize("method", [FedSSD(), FedSSD(selects="class")])
def test_labels_of_the_server_are_asked_for_where_they_are_needed(method: FedSSD) -> None:
    without = replace(parties(method, CONFIG), auxiliary=None)
    with pytest.raises(BadInput):
        Federation(classifier(), method, without, CONFIG)
    Federation(classifier(), FedSSD(selects="sample"), without, CONFIG)
    with pytest.raises(BadInput):
        Federation(classifier(), FedAvg(), without, replace(CONFIG, tune_on_auxiliary=True))


def test_scaffolds_controls_go_to_and_fro() -> None:
    config = FederationConfig(rounds=3, local=PLAIN)
    control, told = federated(Scaffold(), config)
    plain, other = federated(FedAvg(), config)
    assert told.history[0]["accuracy"] == other.history[0]["accuracy"]  # all controls are 0 then
    assert not same(control, plain)
    size = sum(tensor.nbytes for tensor in plain.values())
    assert told.history[0]["bytes_up"] == told.history[0]["bytes_down"] == 2 * 4 * size


def test_privacy_is_spent_round_by_round() -> None:
    config = replace(CONFIG, share=0.5, privacy=PrivacyConfig(clip=0.5, noise=0.5), failures=3)
    weights, told = federated(FedSSD(), config)
    spent = [line["epsilon"] for line in told.history]
    assert 0 < spent[0] < spent[1] < spent[2]
    assert all(line["drift"] is None for line in told.history)
    again, _ = federated(FedSSD(), config)
    whole = replace(parties(FedSSD(), config), secret="else")
    model = classifier()
    Federation(model, FedSSD(), whole, config).run()
    assert same(weights, again) and not same(weights, shared(model))
    unnoised = replace(config, privacy=PrivacyConfig(clip=0.5, noise=0))
    assert federated(FedSSD(), unnoised)[1].history[-1]["epsilon"] is None
    with pytest.raises(BadInput):
        Federation(classifier(), Scaffold(), whole, config)


def test_lost_replies_cost_little() -> None:
    config = replace(CONFIG, rounds=10)
    clean = federated(FedAvg(), config)[1]
    model, whole = classifier(), parties(FedAvg(), config)
    lossy = replace(whole, engine=BadClients(whole.engine, {}, lost=0.3))
    told = Federation(model, FedAvg(), lossy, config).run()
    assert told.failed == 0 and {one["accepted"] for one in told.history[1:]} == {3}
    assert told.history[-1]["accuracy"] > clean.history[-1]["accuracy"] - 0.1


def test_below_the_quorum_a_round_fails_and_changes_nothing(tmp_path: Path) -> None:
    config = replace(CONFIG, rounds=5, gate=GateConfig(share=0.75))
    whole = parties(FedAvg(), config)
    lossy = replace(whole, engine=BadClients(whole.engine, {"c0": "nan", "c1": "lost"}, begins=2))
    model = classifier()
    with pytest.raises(Unavailable, match="3 rounds") as caught:
        Federation(model, FedAvg(), lossy, config).run(tmp_path)
    assert caught.value.exit_code and "round 4" in caught.value.where
    lines = records.read(tmp_path / METRICS)
    assert [line["status"] for line in lines] == ["ok", "failed", "failed", "failed"]
    assert len({line["accuracy"] for line in lines}) == 1
    assert same(shared(model), federated(FedAvg(), replace(CONFIG, rounds=1))[0])
    assert {line["client"] for line in records.read(tmp_path / AUDIT)} == {"c0"}
    healed = classifier()
    told = Federation(healed, FedAvg(), whole, config).run(tmp_path, resume=True)
    assert [line["status"] for line in told.history[-2:]] == ["failed", "ok"] and told.failed == 3


def test_an_average_that_says_nothing_finite_stops_it(tmp_path: Path) -> None:
    whole = parties(FedAvg(), CONFIG)
    broken = replace(whole, evaluate=lambda model: {"accuracy": 0.1, "loss": math.nan})
    with pytest.raises(NumericFault, match="round 1"):
        Federation(classifier(), FedAvg(), broken, CONFIG).run(tmp_path)


def test_a_federation_without_clients_is_none() -> None:
    with pytest.raises(BadInput):
        Federation(classifier(), FedAvg(), replace(parties(FedAvg(), CONFIG), clients={}), CONFIG)


@pytest.mark.parametrize("options", [{"rounds": 0}, {"failures": 0}, {"share": 0.0}, {"share": 2}])
def test_options_that_mean_nothing_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        FederationConfig(**options)


def test_a_folder_in_use_is_not_begun_again(tmp_path: Path) -> None:
    federated(FedAvg(), CONFIG, tmp_path)
    with pytest.raises(BadInput, match="already"):
        federated(FedAvg(), CONFIG, tmp_path)
    with pytest.raises(ArtefactError, match="method"):
        federated(FedSSD(), CONFIG, tmp_path, resume=True)
    with pytest.raises(ArtefactError, match="lr"):
        federated(FedAvg(), replace(CONFIG, local=replace(LOCAL, lr=0.2)), tmp_path, resume=True)
    longer, told = federated(FedAvg(), replace(CONFIG, rounds=5), tmp_path, resume=True)
    assert told.rounds == 5
    assert same(longer, federated(FedAvg(), replace(CONFIG, rounds=5))[0])


METHODS = {"FedSSD": FedSSD(), "Moon": Moon(), "Scaffold": Scaffold()}


def interrupted(kind: str, out: Path, calls: int) -> None:
    """Run one of `METHODS`, and be killed at the so many-th call of one of many functions."""
    left = calls

    def trace(frame: object, event: str, arg: object) -> None:
        nonlocal left
        code = frame.f_code  # type: ignore[attr-defined]
        if event == "call" and code.co_filename.endswith(WATCHED):
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)

    config = FederationConfig(rounds=3, share=0.5, local=PLAIN)
    method = METHODS[kind]
    federation = Federation(classifier(), method, parties(method, config), config)
    sys.setprofile(trace)
    federation.run(out)
    sys.setprofile(None)
    (out / "calls").write_text(str(calls - left))


WATCHED = ("records.py", "artifacts.py", "pointers.py", "files.py", "rounds.py", "checkpoints.py",
           "in_process.py", "gate.py")  # fmt: skip


@pytest.mark.parametrize("kind", list(METHODS))
def test_killed_at_any_point_it_ends_the_same(kind: str, tmp_path: Path) -> None:
    config = FederationConfig(rounds=3, share=0.5, local=PLAIN)
    undisturbed, told = federated(METHODS[kind], config)
    never = 10**9
    interrupted(kind, tmp_path / "whole", never)
    calls = int((tmp_path / "whole" / "calls").read_text())
    for place in range(3):
        out = tmp_path / f"{place}"
        at = calls * (place + 1) // 4 + 7 * place
        child = os.fork()
        if not child:
            interrupted(kind, out, at)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        weights, again = federated(METHODS[kind], config, out, resume=True)
        assert same(weights, undisturbed) and timeless(again.history) == timeless(told.history)
        assert timeless(records.read(out / METRICS)) == timeless(told.history)


def test_a_signal_stops_it_in_order(tmp_path: Path) -> None:
    def watch(record: JsonObject) -> None:
        if record["round"] == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(Stopped):
        Federation(classifier(), FedAvg(), parties(FedAvg(), CONFIG), CONFIG).run(
            tmp_path, watch=watch
        )
    assert [line["round"] for line in records.read(tmp_path / METRICS)] == [1, 2]
    weights, told = federated(FedAvg(), CONFIG, tmp_path, resume=True)
    assert told.rounds == 3 and same(weights, federated(FedAvg())[0])
