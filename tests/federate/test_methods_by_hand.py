"""What a method adds to a client's loss, where the model or its memory is no plain one."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from tastemaker.federate.baselines import FedGKD, Scaffold, divergence
from tastemaker.federate.fedssd import FedSSD
from tastemaker.federate.objectives import LocalObjective
from tastemaker.seams import Broadcast, Outputs
from tests.federate.toy import Part, Toy, broadcast_of, part_of


def test_scaffold_adds_the_control_of_all_and_takes_off_its_own() -> None:
    """The gradient is g + c − c_i, by numbers that are not each other's negatives."""
    model, part = Toy(), part_of()
    names = [name for name, _ in model.named_parameters() if name != "own"]
    sent, own = ({name: torch.full_like(model.state_dict()[name], by) for name in names}
                 for by in (5.0, 2.0))  # fmt: skip
    model(part).backward()
    plain = {name: one.grad.clone() for name, one in model.named_parameters()}  # type: ignore[union-attr]
    for control, memory, by in ((sent, own, 3.0), (sent, {}, 5.0), ({}, own, -2.0)):
        model.zero_grad()
        LocalObjective(model, Scaffold(), broadcast_of(model, (), control), memory)(part).backward()
        for name, parameter in model.named_parameters():
            expected = plain[name] + (0.0 if name == "own" else by)
            torch.testing.assert_close(parameter.grad, expected)


def apart(sent: Toy) -> Toy:
    """With the private bias that a fresh `Toy()` has, as a client's copy of it would."""
    sent.load_state_dict({"own": Toy().own.detach()}, strict=False)
    return sent


class Own(Toy):
    """Has a loss of its own, which is no cross entropy."""

    def outputs(self, part: Part) -> Outputs:
        plain = super().outputs(part)
        return replace(plain, loss=plain.logits.square().sum() / part.target_count)


def test_a_model_s_own_loss_is_what_a_term_is_added_to() -> None:
    model, part = Own(), part_of()
    found = LocalObjective(model, FedGKD(2.0), broadcast_of(apart(Own(seed=1))))
    logits = model.outputs(part).logits
    term = divergence(logits, apart(Own(seed=1)).outputs(part).logits).mean()
    assert float(found(part).detach()) == pytest.approx(
        float((logits.square().sum() / 6 + term).detach()), rel=1e-5
    )


CANDIDATES = torch.tensor([[2, 0, -1], [1, 2, 0], [0, -1, 1], [0, 2, 1], [1, 0, -1], [0, 1, -1]])
"""Classes that compete for each of six targets; −1 is none, and class 0 is one like any other."""


class Competing(Toy):
    """Not all classes compete for every target; the first of each is the true one."""

    groups = torch.tensor([0, 1, 1])

    def outputs(self, part: Part) -> Outputs:
        every = super().outputs(part)
        logits = every.logits.gather(1, CANDIDATES.clamp(0)).masked_fill(CANDIDATES < 0, -1e4)
        return Outputs(logits, torch.zeros(6).long(), every.features, CANDIDATES)


def by_hand(student: Tensor, teacher: Tensor, credible: tuple[float, float]) -> float:
    """L_SSD with τ = 0 and centred logits, over the classes that compete alone."""
    total = 0.0
    for x, row in enumerate(CANDIDATES.tolist()):
        there = [column for column, one in enumerate(row) if one >= 0]
        group = {column: min(row[column], 1) for column in there}
        known, now = ({k: float(z.detach()[x, k]) for k in there} for z in (teacher, student))
        whole = sum(map(math.exp, known.values()))
        mass = sum(math.exp(known[k]) for k in there if group[k] == group[0]) / whole
        sure = 1 - math.sqrt(max(0.0, 1 - mass))
        gaps = {k: known[k] - now[k] for k in there}
        middle = sum(gaps.values()) / len(there)
        total += sum((credible[group[k]] * sure * (gaps[k] - middle)) ** 2 for k in there)
    return total / 6


def test_classes_that_do_not_compete_weigh_nothing_and_are_in_no_mean() -> None:
    model, part, credible = Competing(), part_of(), (0.9, 0.4)
    sent = Broadcast(1, broadcast_of(Competing(seed=1)).weights, credible)
    found = LocalObjective(model, FedSSD(threshold=0.0, centred=True), sent)
    student, teacher = (one.outputs(part).logits for one in (model, apart(Competing(seed=1))))
    expected = by_hand(student, teacher, credible)
    plain = float(torch.nn.functional.cross_entropy(student.detach(), torch.zeros(6).long()))
    assert expected > 1e-3
    assert float(found(part).detach()) - plain == pytest.approx(expected, rel=1e-4)
