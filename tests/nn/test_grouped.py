"""Rows by group: each meets its own group's matrix or negatives, however groups are put together."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.nn import grouped
from tastemaker.nn.grouped import (
    LONE,
    GroupedBlocks,
    GroupedSoftmax,
    Pairs,
    Rivals,
    Room,
    Runs,
    by_group,
    places_in,
)

SIZES = (2 * LONE + 3, 40, 37, 0, 9, 1, 1)
"""Rows of each group: one that stands alone, two and two alike, one of no row."""


def some_groups(sizes: tuple[int, ...] = SIZES) -> Tensor:
    torch.manual_seed(0)
    groups = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    return groups[torch.randperm(len(groups))]


@given(
    st.lists(st.integers(0, 6), max_size=400), st.integers(1, 300), st.integers(1, 9), st.booleans()
)
@settings(max_examples=60, deadline=None)
def test_runs_hold_every_row_once_with_its_group(
    groups: list[int], rows: int, together: int, lie_together: bool
) -> None:
    own = torch.tensor(sorted(groups) if lie_together else groups, dtype=torch.int64)
    runs = Runs(own, 7, rows, together)
    numbers = torch.arange(len(own))
    assert (runs.order is None) or not lie_together
    assert torch.equal(runs.back(runs.sort(numbers)), numbers)
    assert torch.equal(runs.sort(numbers)[runs.places(numbers)], numbers)
    sorted_numbers, end = runs.sort(numbers + 1.0)[:, None], 0
    for run in runs:
        assert run.first == end and len(run.groups) <= together
        end, tiles = run.after, run.take(sorted_numbers)
        assert tiles.shape[1] <= rows
        for group, tile in zip(run.groups.tolist(), tiles, strict=True):
            assert (own[tile[:, 0].long() - 1] == group).all()
        once = run.take_once(sorted_numbers)
        assert once[once > 0].sort().values.tolist() == sorted(
            sorted_numbers[run.first : run.after, 0].tolist()
        )
    assert end == len(own)


def test_the_largest_group_comes_first() -> None:
    order, places = by_group(torch.tensor([2, 0, 2, 1, 2, 1]), 3)
    assert order.tolist() == [0, 2, 4, 3, 5, 1]
    assert torch.equal(places, places_in(order))


def test_memory_of_a_loop_is_taken_once() -> None:
    room = Room(torch.zeros(1))
    first = room.like("scores", (4, 5))
    assert room.like("scores", (2, 3)).data_ptr() == first.data_ptr()
    assert room.like("other", (2, 3)).data_ptr() != first.data_ptr()


@pytest.mark.parametrize("chunk", [100_000, 64], ids=["at once", "in pieces"])
def test_blocks_are_their_equation_with_its_gradient(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouped, "CHUNK", chunk)
    groups = some_groups((9, 4, 4, 0, 3))
    rows = torch.randn(20, 3, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(5, 3, 3, dtype=torch.float64, requires_grad=True)
    bias = torch.randn(5, 3, dtype=torch.float64, requires_grad=True)
    got = GroupedBlocks.apply(rows, groups, weight, bias)
    inner = torch.einsum("ted,td->te", weight[groups], rows) + bias[groups]
    torch.testing.assert_close(got, rows + F.silu(inner))
    assert torch.autograd.gradcheck(
        lambda x, w, b: GroupedBlocks.apply(x, groups, w, b), (rows, weight, bias)
    )


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
