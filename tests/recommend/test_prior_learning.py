"""What heads learn in one step: nothing from nothing, and gates what their weights say."""

from dataclasses import replace

import pytest
import torch

from tastemaker.nn.next_item import targets_of
from tastemaker.recommend.prior_axes import upcoming
from tastemaker.recommend.prior_learning import gates_loss, lesson_loss
from tastemaker.recommend.prior_losses import Members
from tests.recommend.small_priors import COMPOSITIONS, built, grown, steps


@pytest.mark.parametrize("composition", COMPOSITIONS)
def test_a_lesson_without_a_member_is_worth_nothing_and_keeps_its_heads(composition: str) -> None:
    net = grown(built(composition=composition, offsets=2, segments=2))
    step = steps(net)[0]
    ahead = upcoming(targets_of(step), 2)
    competing = net.backbone.competitors(replace(step, targets=ahead, negatives=step.rivals))
    states = net.backbone.states(step).flatten(0, 1)
    for lesson in net.heads.lessons:
        axes = [(net.heads.axes.listed[axis], 0 * ahead) for axis in lesson.axes]
        members = Members.of(0 * ahead, axes)
        loss = lesson_loss(net.heads, lesson, members, states, competing, torch.zeros(0))
        net.zero_grad()
        loss.backward(retain_graph=True)
        assert float(loss.detach()) == 0
        for parameter in net.heads.blocks.parameters():
            assert parameter.grad is None or not parameter.grad.any()


def test_gates_of_the_truth_lose_less_than_gates_that_do_not_know() -> None:
    net = built()
    step = steps(net)[0]
    ahead = upcoming(targets_of(step), 1)
    judged = [axis.members_of(step, ahead) for axis in net.heads.axes.listed]
    groups = net.heads.axes.sizes[0]
    states = torch.zeros(ahead.shape[0] * ahead.shape[1], 8)
    even = gates_loss(net.heads, states, ahead, judged, step)
    assert float(even.detach()) == pytest.approx(float(torch.tensor(groups).log()), rel=1e-5)
    with torch.no_grad():  # how often each group comes
        pairs = Members.of(ahead, [(net.heads.axes.listed[0], judged[0])])
        counts = torch.bincount(pairs.codes[:, 0], minlength=groups)
        net.heads.gates.biases[0][0] = (counts / counts.sum()).log()
    assert gates_loss(net.heads, states, ahead, judged, step) < even
