"""What heads of human priors learn from: members, weights, who competes, and what comes next."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from tastemaker.recommend.prior_axes import Axis, upcoming
from tastemaker.recommend.prior_losses import (
    Members,
    frequency_weights,
    group_softmax,
    horizon_weights,
    segments_of,
    share_loss,
    switch_loss,
)
from tests.recommend.small_priors import belongs, grouping

AXIS = Axis("category", grouping([[1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]]))
"""Five items in three groups."""
KINDS = Axis("event", grouping([[1, 0], [0, 1]], "events"))
TARGETS = torch.tensor([[1, 2, 3, 0], [4, 5, 2, 1]])
HAPPENED = torch.tensor([[1, 2, 1, 0], [2, 2, 1, 1]])
"""Kind of each target's event, counted from 1."""


def of_items(ahead: Tensor) -> Members:
    return Members.of(ahead, [(AXIS, ahead)])


def test_segments_and_horizon_are_as_the_paper_has_them() -> None:
    assert segments_of(8, 2).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert segments_of(6, 3).tolist() == [0, 0, 1, 1, 2, 2]
    assert segments_of(1, 1).tolist() == [0]
    weights = horizon_weights(8)
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)
    assert float(weights[3] / weights[0]) == pytest.approx(0.99**3)
    with pytest.raises(ValueError, match="do not divide"):
        segments_of(8, 3)


def test_members_are_all_pairs_of_a_target_and_its_groups() -> None:
    ahead = upcoming(TARGETS, 2)
    members, flat = of_items(ahead), ahead.flatten(0, 1)
    columns = members.rows, members.offsets, members.codes[:, 0], members.targets
    got = list(zip(*(column.tolist() for column in columns), strict=True))
    want = [
        (row, p, c, int(flat[row, p]))
        for row, p, c in itertools.product(range(8), range(2), range(3))
        if belongs(AXIS)[flat[row, p], c]
    ]
    assert sorted(got) == sorted(want)
    counts = members.counts((3,), 2)
    assert counts.sum() == len(want)
    for c, p in itertools.product(range(3), range(2)):
        assert counts[c, p] == sum(1 for _, at, group, _ in want if (group, at) == (c, p))


def test_members_of_two_axes_are_all_their_combinations() -> None:
    ahead, kinds = upcoming(TARGETS, 2), upcoming(HAPPENED, 2)
    members = Members.of(ahead, [(AXIS, ahead), (KINDS, kinds)])
    cells, counts = members.cells((3, 2)), members.counts((3, 2), 2)
    flat, happened = ahead.flatten(0, 1), kinds.flatten(0, 1)
    want = [
        (row, p, c * 2 + int(happened[row, p]) - 1, int(flat[row, p]))
        for row, p, c in itertools.product(range(8), range(2), range(3))
        if belongs(AXIS)[flat[row, p], c]
    ]
    columns = members.rows, members.offsets, cells, members.targets
    assert sorted(zip(*(column.tolist() for column in columns), strict=True)) == sorted(want)
    assert torch.equal(members.codes[:, 0] * 2 + members.codes[:, 1], cells)
    # Over kinds, counts of cells add up to counts of groups.
    assert torch.equal(counts.view(3, 2, 2).sum(1), of_items(ahead).counts((3,), 2))


def test_without_an_axis_every_target_is_a_member_once() -> None:
    members = Members.of(TARGETS[..., None])
    assert members.rows.tolist() == [0, 1, 2, 4, 5, 6, 7]  # not the padded one
    assert members.codes.shape == (7, 0) and members.cells(()).tolist() == [0] * 7
    assert members.counts((), 1).tolist() == [[7]]


def loss_by_hand(
    outputs: Tensor, table: Tensor, members: Members, negatives: Tensor, weights: Tensor
) -> float:
    total = 0.0
    for row in range(len(members.rows)):
        target, group = int(members.targets[row]), int(members.codes[row, 0])
        positive = float(outputs[row] @ table[target])
        rivals = [float(outputs[row] @ table[n]) for n in negatives[group] if n != target]
        spread = math.log(sum(math.exp(x) for x in [positive, *rivals]))
        total += float(weights[row]) * (spread - positive)
    return total


def weighed(members: Members, counts: Tensor) -> Tensor:
    """Weights where groups count as often as their targets are."""
    horizon = horizon_weights(counts.shape[1])
    return members.weights(members.cells((3,)), counts, frequency_weights(counts.sum(1)), horizon)


def learnt(
    outputs: Tensor, table: Tensor, members: Members, negatives: Tensor, weights: Tensor
) -> Tensor:
    groups = members.codes[:, 0]
    return group_softmax(outputs, table, members.targets, groups, negatives, weights)


def test_the_loss_is_its_equation() -> None:
    torch.manual_seed(0)
    members = of_items(upcoming(TARGETS, 2))
    table = torch.randn(6, 4, dtype=torch.float64)
    outputs = torch.randn(len(members.rows), 4, dtype=torch.float64)
    negatives = torch.tensor([[1, 2, 2, 1], [2, 3, 5, 3], [4, 5, 4, 4]])
    counts = members.counts((3,), 2)
    weights = weighed(members, counts)
    got = learnt(outputs, table, members, negatives, weights)
    want = loss_by_hand(outputs, table, members, negatives, weights)
    assert float(got) == pytest.approx(want, rel=1e-12)
    # With one loss a row, the weights are a mean over members, weighted by group and horizon.
    groups, horizon = frequency_weights(counts.sum(1)), horizon_weights(2)
    alone = sum(
        float(groups[c] * horizon[p]) for c in range(3) for p in range(2) if counts[c, p]
    )  # fmt: skip
    assert float(weights.sum()) == pytest.approx(alone)


@pytest.mark.parametrize("uniform", [False, True])
def test_weights_of_groups_sum_to_1(uniform: bool) -> None:
    counts = torch.tensor([3, 1, 0])
    weights = frequency_weights(counts, uniform)
    assert float(weights.sum()) == pytest.approx(1)
    assert weights.tolist() == pytest.approx([1 / 3] * 3 if uniform else [0.75, 0.25, 0])
    assert torch.isfinite(frequency_weights(torch.zeros(2))).all()


def test_a_piece_of_a_step_gives_its_share_of_the_loss() -> None:
    torch.manual_seed(0)
    ahead, table = upcoming(TARGETS, 2), torch.randn(6, 4, dtype=torch.float64)
    states = torch.randn(8, 4, dtype=torch.float64)
    negatives = torch.randint(1, 6, (3, 4))
    counts = of_items(ahead).counts((3,), 2)

    def share(rows: slice) -> float:
        members = of_items(ahead[rows])
        own = states.view(2, 4, 4)[rows].flatten(0, 1)[members.rows]
        return float(learnt(own, table, members, negatives, weighed(members, counts)))

    whole = share(slice(0, 2))
    assert share(slice(0, 1)) + share(slice(1, 2)) == pytest.approx(whole, rel=1e-12)


def test_a_group_without_a_member_is_worth_nothing_and_has_no_gradient() -> None:
    torch.manual_seed(0)
    table = torch.randn(6, 4, requires_grad=True)
    members = of_items(torch.tensor([[[1], [3]]]))
    outputs = torch.randn(2, 4, requires_grad=True)
    weights = weighed(members, members.counts((3,), 1))
    negatives = torch.tensor([[1, 2], [2, 3], [4, 5]])
    loss = learnt(outputs, table, members, negatives, weights)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(outputs.grad).all()
    assert not table.grad[4].any()  # known to the group without a member alone
    nobody = of_items(torch.zeros(1, 2, 1, dtype=torch.int64))
    assert float(learnt(outputs[:0], table, nobody, negatives, weights[:0]).detach()) == 0


def test_targets_of_other_groups_leave_a_group_alone() -> None:
    torch.manual_seed(0)
    table, states = torch.randn(6, 4), torch.randn(8, 4)
    negatives = torch.randint(1, 6, (3, 5))

    def of_group(targets: Tensor, group: int) -> Tensor:
        members = of_items(targets[..., None])
        weights = weighed(members, members.counts((3,), 1)) * (members.codes[:, 0] == group)
        return learnt(states[members.rows], table, members, negatives, weights / weights.sum())

    changed = torch.where(TARGETS == 4, 5, TARGETS)  # group 1 gains one; group 0 has neither
    torch.testing.assert_close(of_group(TARGETS, 0), of_group(changed, 0))
    assert abs(of_group(TARGETS, 1) - of_group(changed, 1)) > 0.01


def test_what_comes_next_is_learnt_by_cross_entropy_in_which_several_groups_count_alike() -> None:
    torch.manual_seed(0)
    ahead, weights = upcoming(TARGETS, 2), torch.tensor([0.3, 0.2])
    logits, want = torch.randn(8, 3), 0.0
    for row, p in itertools.product(range(8), range(2)):
        groups = belongs(AXIS)[ahead.flatten(0, 1)[row, p]].nonzero().flatten()
        for group in groups.tolist():
            chance = float(logits[row].exp()[group] / logits[row].exp().sum())
            want -= float(weights[p]) * math.log(chance) / len(groups)
    got = share_loss(logits, AXIS, ahead, ahead, weights)
    assert float(got) == pytest.approx(want, rel=1e-5)


def test_the_switch_learns_whether_a_group_is_still_to_come() -> None:
    torch.manual_seed(0)
    ahead, held = upcoming(TARGETS, 2), torch.tensor([0.5, 0.2, 0.9])
    logits, want = torch.randn(8, 3), 0.0
    for row in range(8):
        coming = ahead.flatten(0, 1)[row]
        if not coming.any():
            continue  # nothing comes, so nothing is told
        future = belongs(AXIS)[coming].any(0)
        for group in range(3):
            yes = 1 / (1 + math.exp(-float(logits[row, group])))
            rare = (1 - float(held[group])) / float(held[group])
            want -= (rare * math.log(yes) if future[group] else math.log(1 - yes)) / 3
    got = switch_loss(logits, AXIS, ahead, ahead, held)
    assert float(got) == pytest.approx(want, rel=1e-5)


@pytest.mark.parametrize("always", [0.0, 1.0])
def test_a_group_that_never_or_always_comes_makes_no_nan(always: float) -> None:
    ahead, logits = upcoming(TARGETS, 2), torch.zeros(8, 3, requires_grad=True)
    switch_loss(logits, AXIS, ahead, ahead, torch.full((3,), always)).backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()
