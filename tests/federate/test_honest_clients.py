"""What the rule on long updates costs clients that are honest, measured on digits."""

from collections.abc import Mapping
from statistics import median
from typing import cast

import pytest

from tastemaker.federate.bad_clients import BadClients, Fault
from tastemaker.federate.baselines import FedAvg
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.evaluation import classification
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.rounds import Federation, FederationConfig, Parties
from tests.federate.digits import Silos, classifier

ROUNDS = 3


def history(
    clients: int,
    seed: int,
    alpha: float = 0.1,
    faults: Mapping[str, Fault] | None = None,
    gate: GateConfig | None = None,
) -> tuple[list[dict[str, object]], Silos]:
    """Records of the rounds of one pass each over who holds what."""
    silos = Silos(clients, alpha, seed, 1300)
    local = LocalConfig(epochs=1, seed=seed)
    engine = BadClients(InProcess(classifier(seed), silos.clients, FedAvg(), local), faults or {})
    parties = Parties(engine, silos.sizes, classification(silos.test, 10))
    config = FederationConfig(ROUNDS, local=local, gate=gate or GateConfig())
    done = Federation(classifier(seed), FedAvg(), parties, config)
    done.run()
    return cast("list[dict[str, object]]", done.history), silos


def refused(lines: list[dict[str, object]]) -> list[dict[str, str]]:
    return [one for line in lines for one in cast("list[dict[str, str]]", line["rejected"])]


@pytest.mark.parametrize("seed", range(2))
def test_ten_clients_of_few_classes_each_are_all_heard(seed: int) -> None:
    """And none is shortened: an update of a few classes is no longer than three usual ones."""
    lines, _ = history(10, seed)
    assert [line["accepted"] for line in lines] == [10] * ROUNDS
    assert sum(cast("int", line["clipped"]) for line in lines) == 0


def test_a_stricter_limit_would_refuse_the_honest() -> None:
    """Clients whose labels differ lead away from one another: length alone spares them."""
    lines, _ = history(10, 0, gate=GateConfig(share=0.0, clip=ClipConfig(updates=1.5)))
    assert refused(lines)


def test_of_twenty_clients_some_that_hold_much_are_refused() -> None:
    """A known cost: where most hold little, who holds much goes far, and away from them."""
    every = 0
    for seed in (1, 4):
        lines, silos = history(20, seed)
        usual = median(silos.sizes.values())
        told = refused(lines)
        assert {one["rule"] for one in told} <= {"norm"}
        assert all(silos.sizes[one["client"]] > 1.5 * usual for one in told)
        every += len(told)
    assert 0 < every <= 0.1 * 2 * 20 * ROUNDS


@pytest.mark.parametrize(("fault", "seed"), [("reversed", 0), ("scaled", 1)])
def test_ten_times_the_way_back_is_refused_among_clients_alike(fault: Fault, seed: int) -> None:
    lines, _ = history(10, seed, 100.0, {"c3": fault})
    told = [[one["client"] for one in refused([line])] for line in lines]
    assert told == [[], *[["c3"]] * (ROUNDS - 1)]


def test_ten_times_the_way_back_never_counts_in_full_among_clients_that_differ() -> None:
    """Its way back may be the way of others then; it is refused, or three usual ones long."""
    lines, _ = history(10, 3, 0.1, {"c3": "reversed"})
    for line in lines[1:]:
        assert {one["client"] for one in refused([line])} <= {"c3"}
        assert len(refused([line])) + cast("int", line["clipped"]) == 1
