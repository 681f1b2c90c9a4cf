"""Where items and tokens stand, what each may read and learn: against the definitions."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import Batch
from tastemaker.recommend.persrec_layout import (
    Layout,
    allowed,
    columns_of,
    laid_out,
    split_rows,
    with_tokens,
)

LAYOUTS = [
    Layout(6, 3, 2),
    Layout(6, 3, 6, parts=3),
    Layout(6, 3, 3, parts=3),
    Layout(4, 1, 0),
    Layout(4, 2, 0, parts=2),
    Layout(0, 3, 2),
    Layout(0, 2, 0),
    Layout(1, 1, 1),
]
every_layout = pytest.mark.parametrize("layout", LAYOUTS, ids=str)


class Column(NamedTuple):
    """What stands in a column: an item of a part, or a token of one; the last part is recent."""

    part: int
    token: bool


def drawn(layout: Layout) -> list[Column]:
    """[part 1, T_1, …, part m, T_m, recent], written out."""
    line: list[Column] = []
    for part in range(layout.parts):
        line += [Column(part, False)] * (layout.old // layout.parts)
        line += [Column(part, True)] * (layout.tokens // layout.parts)
    return line + [Column(layout.parts, False)] * layout.recent


def rows_of(layout: Layout, seed: int = 0) -> tuple[Batch, Tensor]:
    """Rows of all lengths that fit, with as many recent items as there may be, and how many."""
    lengths = torch.arange(layout.old + layout.recent + 1)
    rng, width = np.random.default_rng(seed), int(lengths.max())
    valid = torch.arange(width) < lengths[:, None]
    size = (len(lengths), width)
    # Padding that is not zero: what it holds must never be seen.
    items, targets, times = (torch.from_numpy(rng.integers(1, 10**6, size)) for _ in range(3))
    batch = Batch(
        items,
        valid,
        torch.arange(width),
        times,
        request_times=torch.arange(len(lengths)),
        targets=targets * valid,
        negatives=torch.tensor([4, 5]),
        target_count=int(valid.sum()),
        rows=np.arange(len(lengths)) + 70,
        users=torch.arange(len(lengths)) + 50,
        target_events=torch.from_numpy(rng.integers(0, 4, size)) * valid,
    )
    return batch, lengths.clamp(max=layout.recent)


def wanted(batch: Batch, layout: Layout, recent: Tensor, name: str) -> list[list[int]]:
    """(B, N) of a field by the definitions: every row written out column by column."""
    whole = []
    for row, new in enumerate(recent.tolist()):
        values = vars(batch)[name][row, : int(batch.valid[row].sum())].tolist()
        old, late = values[: len(values) - new], values[len(values) - new :]
        queue = [None] * (layout.old - len(old)) + old
        queue += late + [None] * (layout.recent - len(late))
        line: list[int | None] = []
        for column, here in enumerate(drawn(layout)):
            if not here.token:
                line.append(queue.pop(0))
                continue
            number = [one for one in drawn(layout)[: column + 1] if one == here]
            newest = column - len(number)  # the column of the part's newest item
            before = line[newest] if layout.old else None
            last = len(number) == layout.tokens // layout.parts
            line.append(before if name == "times" or last and name != "items" else None)
        whole.append([value or 0 for value in line])
    return whole


@every_layout
def test_slots_parts_and_ends_are_as_drawn(layout: Layout) -> None:
    line = drawn(layout)
    assert layout.length == len(line) == len(layout.part_of)
    assert layout.part_of.tolist() == [one.part for one in line]
    assert layout.is_token.tolist() == [one.token for one in line]
    assert layout.slots.tolist() == [n for n, one in enumerate(line) if not one.token]
    ends = [
        n for n, one in enumerate(line) if one.token and (line + [Column(-1, False)])[n + 1] != one
    ]
    assert len(ends) == (layout.parts if layout.tokens else 0)
    assert layout.closing.tolist() == (ends if layout.old else [])


@every_layout
def test_what_is_old_is_read_by_its_part_and_its_tokens_alone(layout: Layout) -> None:
    line = drawn(layout)
    start = {part: line.index(Column(part, False)) for part in {one.part for one in line}
             if Column(part, False) in line}  # fmt: skip
    batch, recent = rows_of(layout)
    laid = laid_out(batch, layout, recent)
    may = allowed(laid, layout)
    numbers = columns_of(laid).tolist()
    for r, row in enumerate(numbers):
        for c, column in enumerate(numbers):
            item, part = not line[column].token, line[column].part
            barred = item and part < layout.parts and row >= start[part + 1]
            assert bool(layout.blocked[row, column]) == barred
            assert may[:, r, c].tolist() == (laid.valid[:, c] & (not barred)).tolist()


def test_three_parts_hand_on_by_their_tokens() -> None:
    """The mask of [a, a, T, b, b, T, c, c, T, r], spelt out."""
    layout = Layout(6, 1, 3, parts=3)
    want = [
        "1000000000",
        "1100000000",
        "1110000000",
        "0011000000",
        "0011100000",
        "0011110000",
        "0010011000",
        "0010011100",
        "0010011110",
        "0010010011",
    ]
    may = ~layout.blocked & torch.ones(10, 10, dtype=torch.bool).tril()
    assert ["".join(str(int(one)) for one in row) for row in may] == want


@every_layout
@pytest.mark.parametrize("name", ["items", "times", "targets", "target_events"])
def test_every_column_holds_what_the_drawing_says(layout: Layout, name: str) -> None:
    batch, recent = rows_of(layout)
    laid = laid_out(batch, layout, recent)
    assert vars(laid)[name].tolist() == wanted(batch, layout, recent, name)
    tokens = torch.tensor([one.token for one in drawn(layout)])
    real = torch.tensor(wanted(batch, layout, recent, "items")).view(len(recent), -1) > 0
    assert torch.equal(laid.valid, real | tokens)
    assert torch.equal(laid.position_ids, torch.arange(layout.length))


@every_layout
def test_what_is_of_a_row_or_of_the_step_is_carried(layout: Layout) -> None:
    batch, recent = rows_of(layout)
    laid = laid_out(batch, layout, recent)
    for name in ("request_times", "negatives", "users"):
        assert torch.equal(vars(laid)[name], vars(batch)[name])
    assert laid.rows is batch.rows and laid.target_count == batch.target_count
    bare = replace(batch, times=None, targets=None, target_events=None, users=None)
    laid = laid_out(bare, layout, recent)
    assert (laid.times, laid.targets, laid.target_events, laid.users) == (None,) * 4


def test_no_token_is_ever_a_target_and_targets_follow() -> None:
    """Item codes count on, so that the item after n is n + 1 wherever n stands."""
    layout = Layout(6, 3, 6, parts=3)
    items = torch.arange(1, 10)[None].repeat(4, 1) * (
        torch.arange(9) < torch.tensor([9, 7, 4, 2])[:, None]
    )
    batch = Batch(items, items > 0, torch.arange(9), targets=(items + 1) * (items > 0))
    laid = laid_out(batch, layout, torch.tensor([3, 2, 3, 2]))
    assert laid.items.tolist() == [
        [1, 2, 0, 0, 3, 4, 0, 0, 5, 6, 0, 0, 7, 8, 9],
        [0, 1, 0, 0, 2, 3, 0, 0, 4, 5, 0, 0, 6, 7, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 2, 3, 4],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0],
    ]
    assert laid.targets is not None
    assert laid.targets.tolist() == [
        [2, 3, 0, 3, 4, 5, 0, 5, 6, 7, 0, 7, 8, 9, 10],
        [0, 2, 0, 2, 3, 4, 0, 4, 5, 6, 0, 6, 7, 8, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 2, 3, 4, 5],
        [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 3, 0],
    ]
    quiet = laid_out(batch, layout, torch.tensor([3, 2, 3, 2]), closing=False).targets
    assert quiet is not None and not quiet[:, layout.is_token].any()
    assert torch.equal(quiet[:, ~layout.is_token], laid.targets[:, ~layout.is_token])


def test_rows_with_recent_items_alone_ask_nothing_of_tokens_without_an_old_part() -> None:
    """With P = 0 no part has a newest item, whatever the newest recent one is."""
    layout = Layout(0, 2, 2)
    batch = Batch(
        torch.tensor([[3, 4]]),
        torch.ones(1, 2, dtype=torch.bool),
        torch.arange(2),
        times=torch.tensor([[10, 20]]),
        targets=torch.tensor([[4, 5]]),
        target_events=torch.tensor([[1, 2]]),
    )
    laid = laid_out(batch, layout, torch.tensor([2]))
    assert laid.targets is not None and laid.targets.tolist() == [[0, 0, 4, 5]]
    assert laid.times is not None and laid.times.tolist() == [[0, 0, 10, 20]]
    assert laid.target_events is not None and laid.target_events.tolist() == [[0, 0, 1, 2]]


@every_layout
def test_columns_that_nobody_fills_are_left_out_and_no_number_changes(layout: Layout) -> None:
    batch, recent = rows_of(layout)
    whole = laid_out(batch, layout, recent)
    for row in range(len(recent)):
        alone = laid_out(batch.shard(row, len(recent)), layout, recent[row : row + 1])
        columns = columns_of(alone).tolist()
        real = whole.valid[row].nonzero()[:, 0].tolist()
        if real:  # every column that is filled, and none before the first nor after the last
            ends = layout.length - layout.recent, layout.length - layout.recent + int(recent[row])
            assert columns == list(range(real[0], max(ends)))
        assert torch.equal(alone.position_ids, alone.columns)
        for name in ("items", "valid", "times", "targets", "target_events"):
            assert torch.equal(vars(alone)[name][0], vars(whole)[name][row, columns])
        assert torch.equal(
            allowed(alone, layout)[0], allowed(whole, layout)[row][columns][:, columns]
        )


@every_layout
def test_parts_of_a_batch_are_laid_out_as_the_whole(layout: Layout) -> None:
    batch, recent = rows_of(layout)
    whole = laid_out(batch, layout, recent)
    for part in whole.parts(1, 2):
        assert torch.equal(part.items, whole.items[1::2])
        assert torch.equal(allowed(part, layout), allowed(whole, layout)[1::2])
    assert torch.equal(whole.to(torch.device("cpu")).items, whole.items)


def test_a_row_that_does_not_fit_is_refused() -> None:
    layout = Layout(4, 2, 2)
    batch, _ = rows_of(Layout(4, 3, 0))
    for recent in (0, 1, 3):
        with pytest.raises(ValueError, match="4 old or 2 recent"):
            laid_out(batch.shard(7, 8), layout, torch.tensor([recent]))
    nobody = laid_out(batch.shard(8, 9), layout, torch.zeros(0, dtype=torch.int64))
    assert nobody.items.shape[0] == 0


@every_layout
def test_tokens_stand_in_their_own_columns(layout: Layout) -> None:
    batch, recent = rows_of(layout)
    tokens = -torch.arange(1.0, layout.tokens + 1)[:, None]
    for rows in (slice(None), slice(0, 1), slice(1, 2)):
        some = batch.shard(rows.start or 0, 1 if rows.start is None else len(recent))
        laid = laid_out(some, layout, recent[rows])
        vectors = laid.items[..., None].double()
        placed = with_tokens(vectors, tokens, laid, layout)
        assert placed.dtype == vectors.dtype
        line = drawn(layout)
        for place, column in enumerate(columns_of(laid).tolist()):
            number = -sum(one.token for one in line[: column + 1])
            want = torch.full_like(vectors[:, place], number)
            assert torch.equal(placed[:, place], want if line[column].token else vectors[:, place])


@every_layout
def test_rows_split_into_old_and_recent_and_back(layout: Layout) -> None:
    batch, recent = rows_of(layout)
    old, new = split_rows(batch, layout.recent)
    for row, count in enumerate(recent.tolist()):
        for name in ("items", "times"):
            values = vars(batch)[name][row][batch.valid[row]].tolist()
            parts = [vars(part)[name][row][part.valid[row]].tolist() for part in (old, new)]
            assert parts == [values[: len(values) - count], values[len(values) - count :]]
    for part in (old, new):
        assert part.targets is None and part.target_events is None
        assert not part.items[~part.valid].any()
        assert (part.valid.int().diff(dim=1) <= 0).all()  # content left
        assert torch.equal(part.position_ids, torch.arange(part.items.shape[1]))
        assert part.users is batch.users and part.rows is batch.rows
    assert split_rows(replace(batch, times=None), layout.recent)[0].times is None
