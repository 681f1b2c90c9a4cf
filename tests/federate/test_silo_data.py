"""A silo as a client, and how good a model is for each."""

import numpy as np
import pytest
import torch

from tastemaker.data.batches import Batch
from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg
from tastemaker.federate.client import LocalConfig, optimizer_of, seed_of
from tastemaker.federate.clipping import ClipConfig
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.gate import GateConfig
from tastemaker.federate.in_process import InProcess
from tastemaker.federate.next_item import FederatedItems
from tastemaker.federate.objectives import Method
from tastemaker.federate.rounds import Federation, FederationConfig, Parties
from tastemaker.federate.silo_data import SiloData, across
from tastemaker.train.step import Trainer
from tests.federate.items import ITEMS, model, walks


def test_what_was_seen_is_counted_up_to_a_limit() -> None:
    federated, train = model(), walks(30)
    seen = SiloData(train, federated, most=8).seen()
    (counts,) = seen.values()
    assert set(seen) == federated.by_row
    exact = np.bincount(train.items, minlength=ITEMS + 1)
    assert exact.max() > 8
    assert counts.tolist() == np.minimum(exact, 8).tolist()
    assert counts.dtype == torch.int64
    (blurred,) = SiloData(train, federated, most=8, blurred=True).seen().values()
    assert set(blurred.tolist()) <= {0, 1, 2, 4, 8}
    assert ((blurred > 0) == (counts > 0)).all() and (blurred <= counts).all()


def test_examples_are_the_targets_of_an_epoch() -> None:
    data = SiloData(walks(30), model())
    steps = list(data.batches(4, 7).epoch(0))
    assert len(steps) > 1
    assert data.examples == sum(step.target_count for step in steps) == len(walks(30).items) - 30


def test_a_silo_without_events_has_no_examples() -> None:
    data = SiloData(walks(3).slice(0, 0), model())
    assert data.examples == 0
    assert list(data.batches(4, 0).epoch(0)) == []


def test_steps_depend_on_the_seed() -> None:
    data = SiloData(walks(30), model())

    def order(seed: int) -> list[list[int]]:
        found: list[list[int]] = []
        for step in data.batches(4, seed).epoch(0):
            assert isinstance(step, Batch)
            found += step.items.tolist()
        return found

    assert order(1) == order(1) != order(2)


class Fixed(torch.nn.Module):
    """Ranks item 1 first, then 2, and so on, whoever asks."""

    def score(self, contexts: Contexts) -> torch.Tensor:
        return -torch.arange(40.0).expand(len(contexts), 40)


def asked(*targets: int) -> Queries:
    past = Contexts(
        np.arange(len(targets)), np.arange(len(targets) + 1), np.full(len(targets), 40, np.int32)
    )
    return Queries(past, np.array(targets, np.int32), np.arange(len(targets) + 1))


def test_silos_count_alike_and_the_worst_is_told() -> None:
    told = across({"a": asked(1, 2, 30, 31), "b": asked(10), "c": asked()})(Fixed())
    assert told["accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert told["worst_client"] == 0.5
    gains = (1 + 1 / np.log2(3)) / 4, 1 / np.log2(11)
    assert told["ndcg@10"] == pytest.approx(sum(gains) / 2)
    assert told["worst_ndcg@10"] == pytest.approx(min(gains))


def test_only_candidates_are_ranked() -> None:
    allowed = np.arange(40) >= 20
    assert across({"a": asked(30)}, allowed)(Fixed())["accuracy"] == 1
    assert across({"a": asked(31)}, allowed)(Fixed())["accuracy"] == 0


def test_nobody_to_ask_is_refused() -> None:
    with pytest.raises(BadInput):
        across({"a": asked()})


LOCAL = LocalConfig(epochs=1, batch=4, lr=3e-3, optimizer="adam", weight_decay=0.0, clip=5.0)


def federation(
    federated: FederatedItems, held: dict[str, Contexts], method: Method, rounds: int = 2
) -> Federation:
    clients = {name: SiloData(train, federated) for name, train in held.items()}
    parties = Parties(
        InProcess(federated, clients, method, LOCAL),
        {name: data.examples for name, data in clients.items()},
        across({"a": asked_of(20)}),
        SiloData(walks(12, seed=8), federated),
    )
    clip = ClipConfig(few=0, updates=0, rows=0, alone=0)
    config = FederationConfig(rounds, local=LOCAL, gate=GateConfig(clip=clip))
    return Federation(federated, method, parties, config)


def asked_of(users: int) -> Queries:
    """What comes after walks that nobody trains on."""
    starts = np.arange(users) % ITEMS
    items = (starts[:, None] + np.arange(3)) % ITEMS + 1
    past = Contexts(np.arange(users), 3 * np.arange(users + 1), items.flatten().astype(np.int32))
    targets = (starts + 3) % ITEMS + 1
    return Queries(past, targets.astype(np.int32), np.arange(users + 1))


def test_a_federation_of_one_silo_is_plain_training() -> None:
    together, alone = model(dropout=0.3), model(dropout=0.3).model
    federation(together, {"a": walks(20)}, FedAvg()).run()
    for number in (1, 2):
        trainer = Trainer(alone, optimizer_of(alone, LOCAL), LOCAL.clip)
        seed = seed_of(LOCAL.seed, number, "a")
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            for step in alone.train().batches(walks(20), LOCAL.batch, seed).epoch(0):
                trainer.step(step, LOCAL.lr)
    for name, one in alone.state_dict().items():
        assert torch.equal(one, together.model.state_dict()[name]), name


def test_silos_learn_together_with_fedssd() -> None:
    federated = model(dim=16, inner=16)
    held = {name: walks(30, seed=seed) for seed, name in enumerate("abc")}
    before = across({"a": asked_of(20)})(federated.eval())["ndcg@10"]
    method = FedSSD(m_max=1.0, threshold=0.0, centred=True)
    went = federation(federated, held, method, rounds=5).run()
    assert went.failed == 0
    last = went.history[-1]
    assert last["ndcg@10"] > before + 0.2
    assert last["credibility"] > 0


def test_a_row_that_no_silo_saw_stays() -> None:
    federated = model()
    before = federated.model.items.weight.detach().clone()
    few = Contexts(np.arange(4), np.arange(0, 21, 5), np.tile([1, 2, 3, 2, 1], 4).astype(np.int32))
    federation(federated, {"a": few, "b": few}, FedAvg()).run()
    moved = (federated.model.items.weight != before).any(1)
    assert moved.nonzero().flatten().tolist() == [1, 2, 3]


def test_private_parts_are_of_the_silo_alone() -> None:
    federated = model(private=("final_norm",))
    before = {name: one.clone() for name, one in federated.state_dict().items()}
    work = federation(federated, {"a": walks(20), "b": walks(20, seed=1)}, FedAvg())
    assert not federated.private & work.position.weights.keys()
    work.run()
    for name, one in federated.state_dict().items():
        assert torch.equal(one, before[name]) == (name in federated.private), name


def test_a_silo_asks_with_weights_of_its_own() -> None:
    federated = model(private=("final_norm",))
    silos = {"a": walks(20), "b": walks(20, seed=1)}
    work = federation(federated, silos, FedAvg())
    work.run()
    engine = work.parties.engine
    assert isinstance(engine, InProcess)
    before = {name: one.clone() for name, one in federated.state_dict().items()}
    told = across({"a": asked_of(20), "b": asked_of(20)}, None, engine.private)(federated.eval())
    apart = {}
    for name in silos:
        alone = model()
        alone.load_state_dict({**before, **engine.private(name)})
        apart[name] = across({name: asked_of(20)})(alone.eval())["ndcg@10"]
    assert told["ndcg@10"] == pytest.approx(sum(apart.values()) / 2)
    assert apart["a"] != apart["b"]
    assert all(torch.equal(one, before[name]) for name, one in federated.state_dict().items())
