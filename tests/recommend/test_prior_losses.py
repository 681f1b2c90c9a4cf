"""What heads of human priors learn from: members, weights, and who competes."""

import math

import pytest
import torch
from torch import Tensor

from tastemaker.recommend.prior_losses import (
    Members,
    frequency_weights,
    group_softmax,
    horizon_weights,
    segments_of,
    upcoming_targets,
)

MEMBERSHIP = torch.tensor(
    [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [0, 1, 1]], dtype=torch.bool
)
"""Five items in three groups; row 0 is padding."""
TARGETS = torch.tensor([[1, 2, 3, 0], [4, 5, 2, 1]])


def test_segments_and_horizon_are_as_the_paper_has_them() -> None:
    assert segments_of(8, 2).tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert segments_of(1, 1).tolist() == [0]
    weights = horizon_weights(8)
    assert float(weights.sum()) == pytest.approx(1, abs=1e-12)
    assert float(weights[3] / weights[0]) == pytest.approx(0.99**3)
    with pytest.raises(ValueError, match="do not divide"):
        segments_of(8, 3)


def test_upcoming_targets_are_the_next_ones_and_nothing_after_the_end() -> None:
    ahead = upcoming_targets(TARGETS, 3)
    assert ahead[0].tolist() == [[1, 2, 3], [2, 3, 0], [3, 0, 0], [0, 0, 0]]
    assert torch.equal(upcoming_targets(TARGETS, 1)[..., 0], TARGETS)


def test_members_are_all_pairs_of_a_target_and_its_groups() -> None:
    ahead = upcoming_targets(TARGETS, 2)
    members = Members.of_items(ahead, MEMBERSHIP)
    got = zip(*(t.tolist() for t in vars(members).values()), strict=True)
    want = [
        (row, p, c, int(ahead.flatten(0, 1)[row, p]))
        for row in range(8)
        for p in range(2)
        for c in range(3)
        if MEMBERSHIP[ahead.flatten(0, 1)[row, p], c]
    ]
    assert sorted(got) == sorted(want)
    counts = members.counts(3, 2)
    assert counts.sum() == len(want)
    assert counts[1, 0] == sum(1 for _, p, c, _ in want if (c, p) == (1, 0))


def test_a_labelled_target_is_a_member_of_its_label_alone() -> None:
    labels = torch.tensor([[0, 1, -1, 1], [1, 1, 0, 0]])[..., None]
    members = Members.of_labels(TARGETS[..., None], labels)
    assert members.rows.tolist() == [0, 1, 4, 5, 6, 7]  # neither the padded nor the unlabelled
    assert members.groups.tolist() == [0, 1, 1, 1, 0, 0]


def loss_by_hand(
    outputs: Tensor, table: Tensor, members: Members, negatives: Tensor, weights: Tensor
) -> float:
    total = 0.0
    for row in range(len(members.rows)):
        target, group = int(members.targets[row]), int(members.groups[row])
        positive = float(outputs[row] @ table[target])
        rivals = [float(outputs[row] @ table[n]) for n in negatives[group] if n != target]
        spread = math.log(sum(math.exp(x) for x in [positive, *rivals]))
        total += float(weights[row]) * (spread - positive)
    return total


def test_the_loss_is_its_equation() -> None:
    torch.manual_seed(0)
    members = Members.of_items(upcoming_targets(TARGETS, 2), MEMBERSHIP)
    table = torch.randn(6, 4, dtype=torch.float64)
    outputs = torch.randn(len(members.rows), 4, dtype=torch.float64)
    negatives = torch.tensor([[1, 2, 2, 1], [2, 3, 5, 3], [4, 5, 4, 4]])
    counts = members.counts(3, 2)
    groups, horizon = frequency_weights(counts.sum(1)), horizon_weights(2)
    weights = members.weights(counts, groups, horizon)
    got = group_softmax(
        outputs, table, members.targets, members.groups, negatives, weights
    )  # fmt: skip
    want = loss_by_hand(outputs, table, members, negatives, weights)
    assert float(got) == pytest.approx(want, rel=1e-12)
    assert float(groups.sum()) == pytest.approx(1)
    assert float(frequency_weights(counts.sum(1), uniform=True).sum()) == pytest.approx(1)
    # With one loss a row, the weights are a mean over members, weighted by group and horizon.
    alone = sum(
        float(groups[c] * horizon[p]) for c in range(3) for p in range(2) if counts[c, p]
    )  # fmt: skip
    assert float(weights.sum()) == pytest.approx(alone)


def test_a_piece_of_a_step_gives_its_share_of_the_loss() -> None:
    torch.manual_seed(0)
    ahead, table = upcoming_targets(TARGETS, 2), torch.randn(6, 4, dtype=torch.float64)
    states = torch.randn(8, 4, dtype=torch.float64)
    negatives, horizon = torch.randint(1, 6, (3, 4)), horizon_weights(2)
    counts = Members.of_items(ahead, MEMBERSHIP).counts(3, 2)

    def share(rows: slice) -> float:
        members = Members.of_items(ahead[rows], MEMBERSHIP)
        own = states.view(2, 4, 4)[rows].flatten(0, 1)[members.rows]
        weights = members.weights(counts, frequency_weights(counts.sum(1)), horizon)
        parts = own, table, members.targets, members.groups, negatives, weights
        return float(group_softmax(*parts))

    whole = share(slice(0, 2))
    assert share(slice(0, 1)) + share(slice(1, 2)) == pytest.approx(whole, rel=1e-12)


def test_a_group_without_a_member_is_worth_nothing_and_has_no_gradient() -> None:
    torch.manual_seed(0)
    table = torch.randn(6, 4, requires_grad=True)
    members = Members.of_items(torch.tensor([[[1], [3]]]), MEMBERSHIP)
    outputs = torch.randn(2, 4, requires_grad=True)
    weights = members.weights(members.counts(3, 1), torch.ones(3) / 3, horizon_weights(1))
    negatives = torch.tensor([[1, 2], [2, 3], [4, 5]])
    loss = group_softmax(outputs, table, members.targets, members.groups, negatives, weights)
    loss.backward()
    assert torch.isfinite(loss) and torch.isfinite(outputs.grad).all()
    assert not table.grad[4].any()  # known to the group without a member alone
    none = members.targets[:0]
    empty = group_softmax(outputs[:0], table, none, none, negatives, weights[:0])
    assert float(empty.detach()) == 0


def test_targets_of_other_groups_leave_a_group_alone() -> None:
    torch.manual_seed(0)
    table, states = torch.randn(6, 4), torch.randn(8, 4)
    negatives = torch.randint(1, 6, (3, 5))

    def of_group(targets: Tensor, group: int) -> Tensor:
        members = Members.of_items(targets[..., None], MEMBERSHIP)
        weights = members.weights(members.counts(3, 1), torch.ones(3), horizon_weights(1))
        weights = weights * (members.groups == group)
        parts = states[members.rows], table, members.targets, members.groups, negatives, weights
        return group_softmax(*parts)

    changed = torch.where(TARGETS == 4, 5, TARGETS)  # group 1 gains one; group 0 has neither
    torch.testing.assert_close(of_group(TARGETS, 0), of_group(changed, 0))
    assert abs(of_group(TARGETS, 1) - of_group(changed, 1)) > 0.01
