import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.errors import BadInput
from tastemaker.federate.baselines import (
    FedAvg,
    FedGKD,
    FedNTD,
    FedProx,
    Moon,
    Scaffold,
    contrast,
    divergence,
    not_true_divergence,
    proximity,
)
from tastemaker.federate.fedssd import FedSSD, distillation, selection
from tastemaker.federate.objectives import LocalObjective, Method
from tastemaker.train.step import Trainer
from tests.federate.toy import Toy, broadcast_of, moved, part_of

SURE = (1.0, 0.9, 0.8)
METHODS = (FedProx(), FedNTD(), FedGKD(), Moon(), Scaffold(), FedSSD(threshold=0.0))


def value(loss: Tensor) -> float:
    return float(loss.detach())


def objective(method: Method, model: Toy | None = None) -> LocalObjective:
    """With all that any method asks for, on a model that has moved since the broadcast."""
    model = model or Toy()
    control = {name: torch.ones_like(value) for name, value in model.named_parameters()}
    previous = {name: value + 0.5 for name, value in model.state_dict().items() if name != "steps"}
    found = LocalObjective(model, method, broadcast_of(model, SURE, control), previous)
    moved(model)
    return found


@pytest.mark.parametrize(
    "method",
    [FedAvg(), FedProx(0), FedNTD(0), FedGKD(0), Moon(0), FedSSD(0), FedSSD(threshold=1)],
    ids=str,
)
def test_strength_zero_is_the_loss_of_the_model(method: Method) -> None:
    part, found = part_of(), objective(method)
    loss = found(part)
    loss.backward()
    gradients = {name: p.grad.clone() for name, p in found.model.named_parameters()}
    found.zero_grad()
    own = found.model(part)
    own.backward()
    assert torch.equal(loss, own)
    for name, parameter in found.model.named_parameters():
        assert torch.equal(parameter.grad, gradients[name])


@pytest.mark.parametrize("method", [Scaffold(), Moon()], ids=str)
def test_a_first_round_is_the_loss_of_the_model(method: Method) -> None:
    """No control yet, no model of a last round."""
    model, part = Toy(), part_of()
    found = LocalObjective(model, method, broadcast_of(model))
    moved(model)
    assert torch.equal(found(part), model(part))


def test_controls_that_are_zero_change_no_bit() -> None:
    model, part = Toy(), part_of()
    zeros = {name: torch.zeros_like(value) for name, value in model.named_parameters()}
    found = LocalObjective(model, Scaffold(), broadcast_of(model, (), zeros), zeros)
    found(part).backward()
    gradients = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    model(part).backward()
    for parameter, before in zip(model.parameters(), gradients, strict=True):
        assert torch.equal(parameter.grad, before)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_every_method_adds_something(method: Method) -> None:
    found, part = objective(method), part_of()
    assert value(found(part)) != value(found.model(part))


def test_every_term_is_that_of_its_formula() -> None:
    """With the global model, the client's last one and strengths that are not 1."""
    part, model, sent, last = part_of(), Toy(seed=3), Toy(seed=1), Toy(seed=2)
    with torch.no_grad():  # what is private is the client's in all three
        sent.own.copy_(model.own)
        last.own.copy_(model.own)
    broadcast = broadcast_of(sent, SURE)
    z_l, h = model.outputs(part).logits, model.outputs(part).features
    z_g, h_g = sent.outputs(part).logits, sent.outputs(part).features
    ssd = FedSSD(2.0, 0.05)
    chosen = selection(z_g, part.labels, torch.tensor(SURE), ssd)
    own = dict(model.named_parameters())
    for method, term in (
        (FedProx(0.5), proximity(own, broadcast.weights, 0.5)),
        (FedNTD(0.3, 2.0), 0.3 * not_true_divergence(z_l, z_g, part.labels, 2.0).mean()),
        (FedGKD(0.6), 0.3 * divergence(z_l, z_g).mean()),
        (Moon(0.7, 0.4), 0.7 * contrast(h, h_g, last.outputs(part).features, 0.4).mean()),
        (ssd, distillation(z_l, z_g, chosen, 6)),
    ):
        found = LocalObjective(model, method, broadcast, last.state_dict())
        assert value(found(replace(part, rows=None))) == pytest.approx(
            value(model(part)) + value(term), rel=1e-5
        ), method


def test_what_is_not_one_target_a_row_is_not_remembered() -> None:
    found, part = objective(FedGKD()), part_of()
    more = replace(part, rows=np.arange(9))
    assert value(found(more)) == value(found(more)) == value(found(replace(part, rows=None)))
    halves = [replace(part, inputs=part.inputs[:3] + gap, labels=part.labels[:3]) for gap in (0, 1)]
    assert value(found(halves[0])) != value(found(halves[1]))


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_parts_add_up(method: Method) -> None:
    whole = part_of(6)
    halves = [
        replace(whole, inputs=whole.inputs[rows], labels=whole.labels[rows], rows=whole.rows[rows])
        for rows in (slice(0, 2), slice(2, 6))
    ]
    found = objective(method)
    assert sum(value(found(half)) for half in halves) == pytest.approx(value(found(whole)))


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_only_the_parameters_of_the_model_are_trained(method: Method) -> None:
    model = Toy()
    found = objective(method, model)
    assert list(map(id, found.parameters())) == list(map(id, model.parameters()))
    before = {name: value.clone() for name, value in found._broadcast.weights.items()}
    torch.optim.SGD(found.parameters(), 0.1)
    found(part_of()).backward()
    assert all(torch.equal(before[name], value) for name, value in found._broadcast.weights.items())


@pytest.mark.parametrize("method", [FedNTD(), FedGKD(), Moon(), FedSSD(threshold=0)], ids=str)
def test_the_global_model_is_asked_once_a_row(method: Method) -> None:
    found, part = objective(method), part_of()
    first = found(part)
    frozen = [one for one in (found._teacher, found._past) if one is not None]
    asked = [one._model.asked for one in frozen]
    assert torch.equal(found(part), first)
    assert [one._model.asked for one in frozen] == asked
    found(replace(part, rows=None))
    assert [one._model.asked for one in frozen] == [count + 1 for count in asked]


def test_what_is_remembered_is_of_the_row_and_not_of_its_place() -> None:
    found, part = objective(FedGKD()), part_of()
    found(part)
    turned = replace(part, inputs=part.inputs.flip(0), labels=part.labels.flip(0),
                     rows=part.rows[::-1].copy())  # fmt: skip
    fresh = value(found(replace(turned, rows=None)))
    assert value(found(turned)) == pytest.approx(fresh)


def test_the_global_model_is_not_in_training() -> None:
    """Dropout is the local model's alone."""
    model, part = Toy(), replace(part_of(), rows=None)
    model.train()
    found = LocalObjective(model, FedGKD(), broadcast_of(model))
    found.train()
    assert found.model.dropout.training
    teacher = found._teacher
    assert teacher is not None
    assert torch.equal(teacher(part, 6), teacher(part, 6))


def test_the_private_part_of_the_global_model_is_the_client_s() -> None:
    model, part = Toy(), part_of()
    sent = broadcast_of(Toy(seed=7))
    model.load_state_dict(dict(sent.weights), strict=False)
    found = LocalObjective(model, FedGKD(), sent)
    assert value(found(part)) == pytest.approx(value(model(part)))


def test_the_first_step_of_distillation_is_that_of_the_model() -> None:
    """Where the local model is the global one, the term has no gradient."""
    model, part = Toy(), part_of()
    for method in (FedSSD(threshold=0.0), FedSSD(selects="none"), FedSSD(m_max=3, threshold=0)):
        found = LocalObjective(model, method, broadcast_of(model, SURE))
        model.zero_grad()
        found(part).backward()
        gradients = [parameter.grad.clone() for parameter in model.parameters()]
        model.zero_grad()
        model(part).backward()
        for parameter, before in zip(model.parameters(), gradients, strict=True):
            assert float((parameter.grad - before).abs().max()) < 1e-7


def test_an_untrained_model_is_not_distilled() -> None:
    """Of ten classes alike none reaches the probability that the threshold asks for."""
    model, part = Toy(classes=10), part_of(classes=10)
    with torch.no_grad():
        model.top.weight *= 0.01
        model.top.bias *= 0.01
        model.own *= 0.01
    found = LocalObjective(model, FedSSD(), broadcast_of(model, (1.0,) * 10))
    moved(model)
    assert torch.equal(found(part), model(part))


def test_credibility_that_does_not_come_is_refused() -> None:
    model = Toy()
    with pytest.raises(BadInput) as refused:
        LocalObjective(model, FedSSD(), broadcast_of(model))
    assert "Round 1" in refused.value.what
    LocalObjective(model, FedSSD(selects="sample"), broadcast_of(model))(part_of())


def test_credibility_of_another_model_is_refused() -> None:
    model = Toy()
    found = LocalObjective(model, FedSSD(), broadcast_of(model, (1.0, 1.0)))
    with pytest.raises(BadInput):
        found(part_of())


def test_credibility_may_be_that_of_groups() -> None:
    """Two groups of three classes: a target weighs by the mass of its group."""

    class Grouping(Toy):
        groups = torch.tensor([0, 1, 1])

    model, part = Grouping(), part_of()
    method = FedSSD(threshold=0.0, centred=True)
    found = LocalObjective(model, method, broadcast_of(model, (0.5, 0.25)))
    teacher = model.outputs(part).logits.detach()
    moved(model)
    student = model.outputs(part).logits.detach()
    total = value(model(part))
    for x, y in enumerate(part.labels.tolist()):
        p = teacher[x].softmax(0)
        mass = float(p[0]) if y == 0 else float(p[1] + p[2])
        gap = teacher[x] - teacher[x].mean() - (student[x] - student[x].mean())
        for k, credible in enumerate((0.5, 0.25, 0.25)):
            total += float((credible * (1 - (1 - mass) ** 0.5) * gap[k]) ** 2) / 6
    assert value(found(part)) == pytest.approx(total, rel=1e-5)


def test_a_step_of_fedavg_is_a_step_of_the_model() -> None:
    """Bit for bit, with the step of every training."""
    plain, held = Toy(), Toy()
    objective = LocalObjective(held, FedAvg(), broadcast_of(held))
    for model in (plain, objective):
        optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-5)
        trainer = Trainer(model, optimizer, math.inf)
        for seed in range(3):
            trainer.step(part_of(seed=seed), 0.1)
    for name, tensor in plain.state_dict().items():
        assert torch.equal(tensor, held.state_dict()[name])
