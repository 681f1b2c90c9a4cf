import logging

import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import FedAvg, Moon
from tastemaker.federate.client import LocalConfig, shared
from tastemaker.federate.examples import Examples
from tastemaker.federate.in_process import InProcess
from tastemaker.seams import Broadcast, Engine, Remembers
from tests.federate.digits import Silos, classifier

LOCAL = LocalConfig(epochs=1)
SILOS = Silos()


def engine(method: FedAvg | Moon) -> InProcess:
    return InProcess(classifier(), SILOS.clients, method, LOCAL)


def test_replies_depend_on_seed_round_and_client_alone() -> None:
    sent = Broadcast(4, shared(classifier()))
    one, other = engine(FedAvg()), engine(FedAvg())
    torch.manual_seed(1)
    a = {reply.client: reply.weights for reply in one.round(sent, ["c0", "c2"])}
    torch.manual_seed(2)
    b = {reply.client: reply.weights for reply in other.round(sent, ["c2", "c1", "c0"])}
    assert a.keys() == {"c0", "c2"} and list(b) == ["c2", "c1", "c0"]
    for client, weights in a.items():
        assert all(torch.equal(tensor, b[client][name]) for name, tensor in weights.items())


def test_replies_come_one_by_one_and_stay_as_they_were() -> None:
    replies = engine(FedAvg()).round(Broadcast(1, shared(classifier())), ["c0", "c1"])
    first = next(replies)
    before = {name: tensor.clone() for name, tensor in first.weights.items()}
    next(replies)
    assert all(torch.equal(tensor, first.weights[name]) for name, tensor in before.items())


def test_the_model_it_was_given_is_left_alone() -> None:
    model = classifier()
    before = shared(model)
    work = InProcess(model, SILOS.clients, FedAvg(), LOCAL)
    list(work.round(Broadcast(1, shared(classifier(3))), ["c0"]))
    assert all(torch.equal(tensor, before[name]) for name, tensor in shared(model).items())


def test_what_clients_remember_can_be_recalled() -> None:
    sent = Broadcast(1, shared(classifier()))
    first = engine(Moon())
    list(first.round(sent, ["c0", "c1"]))
    kept = first.remembered()
    assert {key.split("/", 2)[2] for key in kept} == {"c0", "c1"}
    second = engine(Moon())
    list(second.round(sent, ["c3"]))
    second.recall(kept)
    assert second.remembered().keys() == kept.keys()
    later = Broadcast(2, shared(classifier(1)))
    for a, b in zip(
        first.round(later, ["c0", "c3"]), second.round(later, ["c0", "c3"]), strict=True
    ):
        assert all(torch.equal(tensor, b.weights[name]) for name, tensor in a.weights.items())


def test_nothing_is_remembered_where_no_method_asks() -> None:
    work = engine(FedAvg())
    list(work.round(Broadcast(1, shared(classifier())), ["c0"]))
    assert not work.remembered()
    seen: Engine = work
    assert isinstance(seen, Remembers)


def test_a_name_may_hold_anything() -> None:
    clients = {"shop/1: Zürich": SILOS.clients["c0"]}
    work = InProcess(classifier(), clients, Moon(), LOCAL)
    list(work.round(Broadcast(1, shared(classifier())), list(clients)))
    kept = work.remembered()
    work.recall(kept)
    assert work.remembered().keys() == kept.keys()


def test_clients_without_data_are_named() -> None:
    nothing = Examples(torch.zeros(0, 64), torch.zeros(0, dtype=torch.int64))
    clients = {**SILOS.clients, "empty one": nothing, "another": nothing}
    with pytest.raises(BadInput) as caught:
        InProcess(classifier(), clients, FedAvg(), LOCAL)
    assert "empty one" in caught.value.where and "another" in caught.value.where
    assert "c0" not in caught.value.where


def test_a_client_whose_loss_is_not_finite_does_not_reply(
    caplog: pytest.LogCaptureFixture,
) -> None:
    wild = Examples(torch.full((40, 64), 1e38), torch.arange(40) % 10)
    work = InProcess(classifier(), {**SILOS.clients, "wild": wild}, FedAvg(), LOCAL)
    with caplog.at_level(logging.WARNING):
        replies = list(work.round(Broadcast(1, shared(classifier())), ["c0", "wild", "c1"]))
    assert [reply.client for reply in replies] == ["c0", "c1"]
    assert "wild" in caplog.text


def test_what_a_client_remembers_shapes_its_next_round_and_no_other_client_s() -> None:
    begun, fresh = engine(Moon()), engine(Moon())
    list(begun.round(Broadcast(1, shared(classifier())), ["c0"]))
    later = Broadcast(2, shared(classifier(1)))
    pairs = zip(begun.round(later, ["c0", "c1"]), fresh.round(later, ["c0", "c1"]), strict=True)
    same = [torch.equal(a.weights["head.weight"], b.weights["head.weight"]) for a, b in pairs]
    assert same == [False, True]
