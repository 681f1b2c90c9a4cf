"""A federation among bad clients: rounds are completed, or fail and leave the model as it was."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tastemaker import records
from tastemaker.errors import BadInput, Unavailable
from tastemaker.federate.bad_clients import BadClients, Fault
from tastemaker.federate.baselines import FedAvg
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.evaluation import classification
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.rounds import Federation, FederationConfig, Parties
from tests.federate.digits import Silos, classifier
from tests.federate.test_bad_clients import MALFORMED

CLIENTS, ROUNDS = 10, 3
LOCAL = LocalConfig(epochs=1)
SILOS = Silos(CLIENTS, alpha=1.0, size=300)


def federation(
    faults: dict[str, Fault], lost: float = 0.0, rounds: int = ROUNDS, method: Any = None
) -> Federation:
    told = method or FedAvg()
    inner = InProcess(classifier(), SILOS.clients, told, LOCAL)
    parties = Parties(
        BadClients(inner, faults, lost), SILOS.sizes, classification(SILOS.test, 10),
        SILOS.auxiliary,
    )  # fmt: skip
    return Federation(classifier(), told, parties, FederationConfig(rounds, local=LOCAL))


def weights(done: Federation) -> dict[str, torch.Tensor]:
    return dict(done.position.weights)


def same(left: Any, right: Any) -> bool:
    return all(torch.equal(tensor, right[name]) for name, tensor in left.items())


@pytest.fixture(scope="module")
def without() -> dict[str, torch.Tensor]:
    """Weights where the bad client is silent from the second round on."""
    done = federation({"c3": "lost"})
    done.run()
    return weights(done)


@pytest.mark.parametrize("fault", [*MALFORMED, "late"])
def test_a_malformed_reply_is_as_if_it_had_not_come_and_is_written_down(
    fault: Fault, tmp_path: Path, without: dict[str, torch.Tensor]
) -> None:
    done = federation({"c3": fault})
    done.run(tmp_path)
    assert [record["status"] for record in done.history] == ["ok"] * ROUNDS
    assert same(without, weights(done))
    lines = records.read(tmp_path / "audit.jsonl")
    rounds = [3] if fault == "late" else [2, 3]
    rule = "round" if fault == "late" else MALFORMED[fault]
    assert [(line["round"], line["client"], line["rule"]) for line in lines] == [
        (number, "c3", rule) for number in rounds
    ]


def test_a_duplicate_is_as_if_it_had_come_once(tmp_path: Path) -> None:
    clean, done = federation({}), federation({"c3": "duplicate"})
    clean.run()
    done.run(tmp_path)
    assert same(weights(clean), weights(done))
    assert [line["rule"] for line in records.read(tmp_path / "audit.jsonl")] == ["duplicate"] * 2


@pytest.mark.parametrize("fault", ["scaled", "reversed"])
def test_no_client_moves_the_model_far(fault: Fault) -> None:
    clean, done = federation({}), federation({"c3": fault})
    clean.run()
    done.run()
    far = sum(float((t - weights(clean)[n]).square().sum()) for n, t in weights(done).items())
    length = sum(float(t.square().sum()) for t in weights(clean).values())
    assert far < 0.05 * length
    told = [record["clipped"] + len(record["rejected"]) for record in done.history]
    assert told == [0, 1, 1]


def test_with_a_third_of_the_replies_lost_no_round_fails() -> None:
    done = federation({}, lost=0.3, rounds=6, method=FedSSD())
    done.run()
    assert [record["accepted"] for record in done.history] == [10, 7, 7, 7, 7, 7]
    assert {record["status"] for record in done.history} == {"ok"}


def test_below_the_quorum_rounds_fail_the_model_stays_and_the_run_stops() -> None:
    one, done = federation({}, rounds=1), federation({}, lost=0.6, rounds=9)
    one.run()
    with pytest.raises(Unavailable):
        done.run()
    assert [record["status"] for record in done.history] == ["ok", "failed", "failed", "failed"]
    assert same(weights(one), weights(done))


def test_a_round_that_could_never_count_is_not_begun() -> None:
    good = federation({})
    config = replace(good.config, gate=GateConfig(minimum=CLIENTS + 1))
    with pytest.raises(BadInput, match="11 replies"):
        Federation(classifier(), FedAvg(), good.parties, config)


def test_half_of_the_clients_may_be_bad_in_ten_ways() -> None:
    kinds = list(MALFORMED)
    for chosen in (kinds[:5], kinds[5:10]):
        done = federation({f"c{place}": kind for place, kind in enumerate(chosen)})  # type: ignore[misc]
        done.run()
        assert [record["status"] for record in done.history] == ["ok"] * ROUNDS
        assert [len(record["rejected"]) for record in done.history] == [0, 5, 5]
