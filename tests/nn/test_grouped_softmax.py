"""Softmax with negatives of groups: equal to all scores at once, whatever pieces it is made in."""

import pytest
import torch
from torch import Tensor

from tastemaker.nn import grouped
from tastemaker.nn.grouped import LONE
from tastemaker.nn.grouped_softmax import GroupedSoftmax, Pairs, Rivals, Room

SIZES = (2 * LONE + 3, 40, 37, 0, 9, 1, 1)
"""Rows of each group: one that stands alone, two and two alike, one of no row."""


def some_groups(sizes: tuple[int, ...] = SIZES) -> Tensor:
    torch.manual_seed(0)
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return groups[torch.randperm(len(groups))]


def test_memory_of_a_loop_is_taken_once() -> None:
    room = Room(torch.zeros(1))
    first = room.like("scores", (4, 5))
    assert room.like("scores", (2, 3)).data_ptr() == first.data_ptr()
    assert room.like("other", (2, 3)).data_ptr() != first.data_ptr()


def softmax(
    states: Tensor, table: Tensor, groups: Tensor, negatives: Tensor, parts: tuple[Tensor, ...]
) -> Tensor:
    rows, targets, weights = parts
    rivals = Rivals.drawn(negatives, table)
    pairs = Pairs(rows, targets, *rivals.met(groups[rows], targets), weights)
    return GroupedSoftmax.apply(states, table, groups, rivals, pairs)


def plainly(
    states: Tensor, table: Tensor, groups: Tensor, negatives: Tensor, parts: tuple[Tensor, ...]
) -> Tensor:
    """The same with all scores at once and autograd's own gradient."""
    rows, targets, weights = parts
    rivals = negatives[groups[rows]]
    scores = torch.einsum("rd,rkd->rk", states[rows], table[rivals])
    scores = scores.masked_fill(rivals == targets[:, None], -torch.inf)
    positive = (states[rows] * table[targets]).sum(1, keepdim=True)
    losses = torch.logsumexp(torch.cat([positive, scores], 1), 1) - positive[:, 0]
    return (losses * weights).sum()


@pytest.mark.parametrize("chunk", [500_000, 200], ids=["at once", "in pieces"])
@pytest.mark.parametrize("targets", [1, 3], ids=["a target a row", "several"])
def test_the_softmax_is_that_of_all_scores_at_once(
    targets: int, chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouped, "CHUNK", chunk)
    groups = some_groups()
    count = targets * len(groups)
    states = torch.randn(len(groups), 4, dtype=torch.float64, requires_grad=True)
    table = torch.randn(30, 4, dtype=torch.float64, requires_grad=True)
    negatives = torch.randint(1, 30, (len(SIZES), 12))
    negatives[4] = 7  # all alike, and often the target: then nothing competes
    rows = torch.randint(0, len(groups), (count,)) if targets > 1 else torch.arange(count)
    wanted = torch.randint(1, 30, (count,))
    wanted[(groups[rows] == 4) & (rows % 2 == 0)] = 7
    parts = rows, wanted, torch.rand(count, dtype=torch.float64)
    got = softmax(states, table, groups, negatives, parts)
    want = plainly(states, table, groups, negatives, parts)
    torch.testing.assert_close(got, want, rtol=1e-12, atol=0)
    for mine, plain in zip(
        torch.autograd.grad(got, (states, table)),
        torch.autograd.grad(want, (states, table)),
        strict=True,
    ):
        torch.testing.assert_close(mine, plain, rtol=1e-9, atol=1e-12)


def test_scores_of_any_size_stay_finite() -> None:
    groups = some_groups((3, 2))
    states = torch.full((5, 2), 100.0, requires_grad=True)
    table = torch.tensor([[0.0, 0], [90, 90], [-90, -90]], requires_grad=True)
    parts = torch.arange(5), torch.tensor([1, 2, 1, 2, 1]), torch.ones(5)
    loss = softmax(states, table, groups, torch.tensor([[1, 2], [2, 2]]), parts)
    gradients = torch.autograd.grad(loss, (states, table))
    assert torch.isfinite(loss) and all(torch.isfinite(one).all() for one in gradients)


def test_rivals_are_each_item_once_and_how_often_it_was_drawn() -> None:
    table = torch.zeros(9, 2)
    rivals = Rivals.drawn(torch.tensor([[5, 3, 5, 5], [8, 1, 2, 4]]), table)
    columns, times = rivals.of(torch.tensor([0]))
    assert columns.tolist() == [[3, 5]] and times.tolist() == [[1, 3]]
    met = rivals.met(torch.tensor([0, 0, 1, 1]), torch.tensor([5, 4, 8, 5]))
    assert [found.tolist() for found in met] == [[1, 0, 3, 0], [3, 0, 1, 0]]
