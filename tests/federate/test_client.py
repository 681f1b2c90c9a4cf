import math

import pytest
import torch
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg, Moon, Scaffold
from tastemaker.federate.client import (
    Client,
    LocalConfig,
    Memory,
    private,
    seed_of,
    sgd,
    shared,
    train,
    train_client,
)
from tastemaker.federate.examples import Examples
from tastemaker.seams import Broadcast
from tastemaker.train.step import Trainer
from tests.federate.digits import Silos, classifier

LOCAL = LocalConfig(epochs=2, seed=5)
PLAIN = LocalConfig(epochs=2, momentum=0.0)


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


@pytest.fixture(scope="module")
def data() -> Examples:
    return Silos().clients["c0"]


def test_a_client_trains_as_everybody_does(data: Examples) -> None:
    sent = shared(classifier(1))
    client = Client("c0", data)
    reply, memory = train_client(
        classifier(2), client, FedAvg(), Broadcast(3, sent), Memory(), LOCAL
    )
    model = classifier(1)
    trainer = Trainer(model, sgd(model, LOCAL), math.inf)
    steps = data.batches(LOCAL.batch, seed_of(5, 3, "c0"))
    for epoch in range(2):
        for step in steps.epoch(epoch):
            trainer.step(step, LOCAL.lr)
    assert same(dict(reply.weights), shared(model)) and not same(sent, shared(model))
    assert (reply.client, reply.round, reply.examples) == ("c0", 3, data.examples)
    assert not (memory.private or memory.previous or reply.seen or reply.control)


def test_what_is_sent_back_is_its_own(data: Examples) -> None:
    model = classifier()
    sent = Broadcast(1, shared(model))
    before = {name: tensor.clone() for name, tensor in sent.weights.items()}
    first, _ = train_client(model, Client("a", data), FedAvg(), sent, Memory(), LOCAL)
    kept = {name: tensor.clone() for name, tensor in first.weights.items()}
    train_client(model, Client("b", data), FedAvg(), sent, Memory(), LOCAL)
    assert same(dict(first.weights), kept) and same(dict(sent.weights), before)


def test_every_client_and_round_has_a_seed_of_its_own() -> None:
    seeds = {seed_of(s, r, c) for s in range(3) for r in range(3) for c in ("a", "b", "1 a")}
    assert len(seeds) == 27 and all(0 <= seed < 2**63 for seed in seeds)


def test_training_leaves_torchs_generator_as_it_was(data: Examples) -> None:
    torch.manual_seed(3)
    train(classifier(), data, LOCAL, 0)
    drawn = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(drawn, torch.rand(2))


def test_a_client_may_train_with_adam(data: Examples) -> None:
    adam = LocalConfig(epochs=1, lr=1e-3, optimizer="adam")
    model = classifier()
    steps = train(model, data, adam, 0)
    fresh = shared(classifier())
    moved = [float((fresh[name] - one).abs().max()) for name, one in shared(model).items()]
    assert 0 < max(moved) <= 2 * adam.lr * steps, "Adam moves a weight by about lr a step"


def test_scaffold_refuses_adam(data: Examples) -> None:
    adam = LocalConfig(epochs=1, momentum=0.0, optimizer="adam")
    sent = Broadcast(1, shared(classifier()))
    with pytest.raises(BadInput):
        train_client(classifier(), Client("a", data), Scaffold(), sent, Memory(), adam)


def test_a_gradient_is_clipped_where_that_is_asked(data: Examples) -> None:
    def moved(clip: float) -> float:
        model = classifier()
        before = shared(model)
        local = LocalConfig(epochs=1, batch=10**6, lr=1.0, momentum=0, weight_decay=0, clip=clip)
        train(model, data, local, 0)
        return math.sqrt(
            sum(float((t - before[n]).square().sum()) for n, t in shared(model).items())
        )

    assert moved(0.01) == pytest.approx(0.01, rel=1e-3) and moved(0.0) > 0.02


def test_one_class_is_enough_to_train_on(data: Examples) -> None:
    one = Examples(data.inputs[:5], torch.full((5,), 3))
    sent = Broadcast(1, shared(classifier()))
    reply, _ = train_client(classifier(), Client("a", one), FedAvg(), sent, Memory(), LOCAL)
    assert all(bool(torch.isfinite(tensor).all()) for tensor in reply.weights.values())


def test_private_weights_stay(data: Examples) -> None:
    model = classifier(1)
    model.private = frozenset({"head.bias"})
    assert private(model).keys() == {"head.bias"} and "head.bias" not in shared(model)
    sent = Broadcast(1, shared(model))
    first = Memory(private=private(model))
    reply, memory = train_client(model, Client("a", data), FedAvg(), sent, first, LOCAL)
    assert reply.weights.keys() == sent.weights.keys()
    assert same(dict(memory.private), private(model)) and not same(
        dict(memory.private), dict(first.private)
    )
    again, _ = train_client(model, Client("a", data), FedAvg(), sent, memory, LOCAL)
    assert not same(dict(again.weights), dict(reply.weights))  # it began with other private weights


def test_moon_keeps_its_own_model(data: Examples) -> None:
    model = classifier()
    sent = Broadcast(1, shared(model))
    reply, memory = train_client(model, Client("a", data), Moon(), sent, Memory(), LOCAL)
    assert same(dict(memory.previous), dict(reply.weights))


def test_scaffolds_control_is_the_mean_gradient(data: Examples) -> None:
    model = classifier()
    weights = shared(model)
    zeros = {name: torch.zeros_like(tensor) for name, tensor in weights.items()}
    sent = Broadcast(1, weights, control=zeros)
    client = Client("a", data)
    reply, memory = train_client(model, client, Scaffold(), sent, Memory(), PLAIN)
    steps = 2 * -(-data.examples // PLAIN.batch)
    for name, tensor in reply.control.items():
        expected = (weights[name] - reply.weights[name]) / (steps * PLAIN.lr)
        torch.testing.assert_close(tensor, expected)
        assert torch.equal(memory.previous[name], tensor)
    later = Broadcast(2, reply.weights, control=zeros)
    second, after = train_client(model, client, Scaffold(), later, memory, PLAIN)
    for name, tensor in second.control.items():
        torch.testing.assert_close(tensor, after.previous[name] - memory.previous[name])


def test_scaffold_takes_no_momentum(data: Examples) -> None:
    sent = Broadcast(1, shared(classifier()))
    with pytest.raises(BadInput, match="momentum"):
        train_client(classifier(), Client("a", data), Scaffold(), sent, Memory(), LOCAL)


def test_weights_of_another_model_are_refused(data: Examples) -> None:
    sent = Broadcast(1, {"head.bias": torch.zeros(10)})
    with pytest.raises(BadInput, match="another model") as caught:
        train_client(classifier(), Client("mine", data), FedAvg(), sent, Memory(), LOCAL)
    assert "mine" in caught.value.where
