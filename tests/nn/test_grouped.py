"""Rows by group: each meets its own group's matrix, however groups are put together."""

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.nn import grouped
from tastemaker.nn.grouped import LONE, GroupedBlocks, Runs, by_group, places_in


def some_groups(sizes: tuple[int, ...]) -> Tensor:
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


def test_large_groups_stand_alone_and_small_ones_of_like_size_together() -> None:
    sizes = (2 * LONE, LONE, 40, 37, 0, 9, 1, 1)
    runs = list(Runs(some_groups(sizes), len(sizes), 10 * LONE, 10))
    assert [run.groups.tolist() for run in runs] == [[0], [1], [2, 3], [5], [6, 7]]


def test_the_largest_group_comes_first() -> None:
    order, places = by_group(torch.tensor([2, 0, 2, 1, 2, 1]), 3)
    assert order.tolist() == [0, 2, 4, 3, 5, 1]
    assert torch.equal(places, places_in(order))


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
