"""Batches: every target once, padding little, and nothing but (seed, epoch, step) decides."""

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.data.batches import Batch, NextItemBatches, last
from tastemaker.data.contexts import ROW, Contexts
from tests.data.histories import contexts_of, histories


@given(histories, st.integers(1, 12))
def test_the_newest_events_are_read_and_the_rest_is_padding(
    rows: list[list[int]], history: int
) -> None:
    batch = last(contexts_of(rows), history)
    for row, items, valid in zip(rows, batch.items, batch.valid, strict=True):
        assert items[valid].tolist() == row[-history:]
        assert items[~valid].abs().sum() == 0
        assert valid.sum() == valid[: len(row[-history:])].sum()
    assert batch.items.shape[1] <= history
    assert batch.position_ids.tolist() == list(range(batch.items.shape[1]))


@pytest.mark.parametrize("asked", [None, [77, 88, 99]])
def test_what_comes_after_each_position_is_its_next_event_or_the_request(
    asked: list[int] | None,
) -> None:
    rows = contexts_of([[1, 2, 3], [4], []])  # at 0, 10, 20 and 30
    known = rows if asked is None else replace(rows, request_times=np.array(asked))
    newest = [20, 30, 0] if asked is None else asked
    batch = last(known, 8)
    found = batch.upcoming()
    assert found[0].tolist() == [10, 20, newest[0]]
    assert [found[1, 0], found[2, 0]] == newest[1:]
    assert batch.times is not None and batch.times[0].tolist() == [0, 10, 20]
    with pytest.raises(ValueError, match="times"):
        last(replace(rows, times=None), 8).upcoming()


def test_a_training_row_is_asked_at_the_time_of_its_last_target() -> None:
    (batch,) = NextItemBatches(contexts_of([[1, 2, 3], [4, 5, 6]]), 2, tokens=9).epoch(0)
    assert batch.request_times is not None and batch.times is not None
    for items, times, asked in zip(batch.items, batch.times, batch.request_times, strict=True):
        first = 0 if items[0] == 1 else 30
        assert times.tolist() == [first, first + 10]
        assert asked == first + 20
    timeless = replace(contexts_of([[1, 2, 3]]), times=None)
    (batch,) = NextItemBatches(timeless, 2).epoch(0)
    assert batch.times is None and batch.request_times is None


def pairs_of(batches: NextItemBatches, epoch: int = 0) -> Counter[tuple[int, ...]]:
    """(row's newest item so far, target) with all the visible past of the chunk."""
    found: Counter[tuple[int, ...]] = Counter()
    for batch in batches.epoch(epoch):
        assert batch.targets is not None
        count = 0
        for items, targets in zip(batch.items, batch.targets, strict=True):
            for at in torch.nonzero(targets).flatten().tolist():
                found[(int(items[at]), int(targets[at]))] += 1
                count += 1
        assert count == batch.target_count
    return found


@given(histories, st.integers(1, 12), st.integers(0, 3))
def test_every_target_of_every_history_comes_once_an_epoch(
    rows: list[list[int]], history: int, epoch: int
) -> None:
    batches = NextItemBatches(contexts_of(rows), history, tokens=30)
    want = Counter(pair for row in rows for pair in zip(row, row[1:], strict=False))
    assert pairs_of(batches, epoch) == want
    assert batches.targets == sum(want.values())
    assert len(list(batches.epoch(epoch))) == len(batches)


@given(histories, st.integers(1, 12))
def test_the_tail_is_the_newest_targets_only(rows: list[list[int]], history: int) -> None:
    batches = NextItemBatches(contexts_of(rows), history, tokens=30, tail=True)
    tails = [row[-history - 1 :] for row in rows]
    want = Counter(pair for row in tails for pair in zip(row, row[1:], strict=False))
    assert pairs_of(batches) == want


def test_chunks_are_cut_from_the_newest_end() -> None:
    batches = NextItemBatches(contexts_of([list(range(1, 12))]), history=4, tokens=100)
    seen = sorted(tuple(row[row > 0].tolist()) for b in batches.epoch(0) for row in b.items)
    assert seen == [(1, 2), (3, 4, 5, 6), (7, 8, 9, 10)]


def many(seed: int = 0) -> Contexts:
    lengths = np.random.default_rng(seed).geometric(1 / 60, 400)
    return contexts_of([list(np.arange(length) % 50 + 1) for length in lengths])


def test_little_is_padding_and_shapes_repeat() -> None:
    batches = NextItemBatches(many(), history=50, tokens=1600)
    assert batches.padding_share <= 0.10
    shapes = Counter(tuple(b.items.shape) for b in batches.epoch(0))
    assert shapes == Counter(tuple(b.items.shape) for b in batches.epoch(1))
    assert len({width for _, width in shapes}) <= 8
    assert all(rows * width <= 1600 for rows, width in shapes)


def same(one: object, two: object) -> bool:
    names = ("items", "valid", "targets", "negatives", "times")
    return all(torch.equal(getattr(one, name), getattr(two, name)) for name in names)


def test_batches_depend_on_seed_epoch_and_step_alone() -> None:
    make = lambda seed: NextItemBatches(many(), 50, 1600, negatives=20, seed=seed)  # noqa: E731
    one, two, other = list(make(0).epoch(3)), list(make(0).epoch(3)), list(make(1).epoch(3))
    assert all(same(a, b) for a, b in zip(one, two, strict=True))
    assert not all(
        same(a, b) for a, b in zip(one, other, strict=True) if a.items.shape == b.items.shape
    )
    plain = list(NextItemBatches(many(), negatives=20, tokens=1600).epoch(3))
    assert all(same(a, b) for a, b in zip(one, plain, strict=True))
    later = list(make(0).epoch(3, skip=4))
    assert len(later) == len(one) - 4
    assert all(same(a, b) for a, b in zip(one[4:], later, strict=True))
    firsts = {tuple(next(make(0).epoch(epoch)).rows.tolist()) for epoch in range(5)}  # type: ignore[union-attr]
    assert len(firsts) == 5


def test_negatives_are_uniform_over_the_items_trained() -> None:
    batches = NextItemBatches(many(), 50, 1600, negatives=500)
    drawn = torch.cat([b.negatives for b in batches.epoch(0) if b.negatives is not None])
    counts = torch.bincount(drawn, minlength=51)
    assert counts[0] == 0
    expected = len(drawn) / 50
    assert ((counts[1:] - expected).abs() < 6 * expected**0.5).all()


def test_popular_negatives_come_as_often_as_their_items() -> None:
    flat = np.repeat(np.arange(1, 5), [80, 40, 20, 4]).astype(np.int32)
    contexts = Contexts(np.arange(1), np.array([0, len(flat)]), flat)
    batches = NextItemBatches(contexts, history=200, negatives=20_000, popular=True)
    (batch,) = batches.epoch(0)
    assert batch.negatives is not None
    shares = np.bincount(batch.negatives.numpy(), minlength=5)[1:] / 20_000
    np.testing.assert_allclose(shares, np.array([80, 40, 20, 4]) / 144, atol=0.02)


def test_items_without_training_events_are_no_negatives() -> None:
    batches = NextItemBatches(contexts_of([[3, 7, 3], [9, 40]]), 4, tokens=8, negatives=200)
    drawn = torch.cat([b.negatives for b in batches.epoch(0) if b.negatives is not None])
    assert set(drawn.tolist()) == {3, 7, 9, 40}


@pytest.mark.parametrize("world", [1, 2, 3])
def test_shards_part_a_batch_and_keep_what_is_shared(world: int) -> None:
    batch = next(NextItemBatches(many(), 50, 1600, negatives=5).epoch(0))
    parts = [batch.shard(rank, world) for rank in range(world)]
    assert sum(len(part.items) for part in parts) == len(batch.items)
    for part in parts:
        assert part.target_count == batch.target_count
        assert part.negatives is batch.negatives
    counts = [int((part.targets > 0).sum()) for part in parts if part.targets is not None]
    assert sum(counts) == batch.target_count


@dataclass(frozen=True)
class Weighted(Batch):
    """A batch with one field more."""

    weights: torch.Tensor | None = field(default=None, metadata=ROW)
    """(B, N, 2)."""


def test_every_field_that_has_an_axis_of_rows_is_parted() -> None:
    size = 4  # rows, positions and negatives alike, so that no length tells them apart
    square = torch.arange(size * size).view(size, size)
    batch = Weighted(
        square,
        square >= 0,
        square + 100,
        times=square + 200,
        request_times=square[:, 0],
        targets=square + 300,
        negatives=torch.arange(size),
        target_count=size * size,
        rows=np.arange(size) + 50,
        users=square[:, 1],
        target_events=square + 400,
        columns=torch.arange(size),
        weights=torch.stack([square, -square], -1),
    )
    part, mine = batch.shard(1, 2), [1, 3]
    for name, value in vars(batch).items():
        if name in ("negatives", "columns"):
            assert vars(part)[name] is value
        elif name != "target_count":
            np.testing.assert_array_equal(vars(part)[name], value[mine], err_msg=name)
    common = replace(batch, position_ids=torch.arange(size))
    assert common.shard(1, 2).position_ids is common.position_ids


def test_users_without_a_target_carry_no_rows() -> None:
    batches = NextItemBatches(contexts_of([[], [3], [4, 5]]), 4, tokens=8)
    (batch,) = batches.epoch(0)
    assert batch.items.tolist() == [[4]]
    empty = NextItemBatches(contexts_of([[], [3]]), 4, tokens=8)
    assert (len(empty), empty.targets, list(empty.epoch(0))) == (0, 0, [])
    assert empty.padding_share <= 1


def test_a_batch_without_times_or_targets_can_be_sharded() -> None:
    batch = last(replace(contexts_of([[1, 2], [3]]), times=None), 4)
    assert batch.shard(1, 2).times is None
    assert batch.shard(1, 2).items.tolist() == [[3, 0]]
