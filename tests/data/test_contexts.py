"""Contexts: slices and gathered rows are the rows themselves."""

from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.data.contexts import Contexts, ranges
from tests.data.histories import contexts_of, histories, rows_of


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 9)), min_size=1))
def test_ranges_are_aranges_side_by_side(pairs: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in pairs])
    ends = starts + np.array([length for _, length in pairs])
    want = [at for start, end in zip(starts, ends, strict=True) for at in range(start, end)]
    assert ranges(starts, ends).tolist() == want


@given(histories, st.integers(0, 16), st.integers(0, 16))
def test_slices_are_slices_of_the_rows(rows: list[list[int]], start: int, stop: int) -> None:
    start = min(start, len(rows))
    some = contexts_of(rows).slice(start, max(start, stop))
    assert rows_of(some) == rows[start : max(start, stop)]
    assert some.offsets[0] == 0
    assert some.users.tolist() == list(range(len(rows)))[start : max(start, stop)]
    assert some.times is not None
    assert len(some.times) == len(some.items)


def test_gathered_rows_stand_side_by_side() -> None:
    whole = contexts_of([[1, 2, 3], [4], [], [5, 6]])
    users, starts, ends = np.array([3, 0]), np.array([4, 1]), np.array([6, 3])
    some = Contexts.gather(users, starts, ends, whole.columns)
    assert rows_of(some) == [[5, 6], [2, 3]]
    assert some.times is not None
    assert some.times.tolist() == [40, 50, 10, 20]
    assert some.lengths.tolist() == [2, 2]


def test_one_request_is_one_row() -> None:
    one = Contexts.single([7, 8], [1, 2])
    assert (len(one), one.users.tolist(), rows_of(one)) == (1, [-1], [[7, 8]])
    assert rows_of(Contexts.single([])) == [[]]


def test_every_column_goes_along_when_rows_are_cut_and_taken() -> None:
    whole = contexts_of([[1, 2, 3], [4], [5, 6]])
    count = len(whole.items)
    whole = replace(
        whole,
        request_times=np.array([7, 8, 9]),
        events=np.arange(count, dtype=np.uint8),
        polarities=np.arange(count, dtype=np.int8),
    )
    for rows in ([1, 2], [2, 0], [1], []):
        wanted = np.array(rows, np.int64)
        some = whole.take(wanted)
        flat = [n for row in rows for n in range(whole.offsets[row], whole.offsets[row + 1])]
        for name in ("items", "times", "events", "polarities"):
            expected = vars(whole)[name][np.array(flat, np.int64)]
            assert np.array_equal(vars(some)[name], expected), name
        assert np.array_equal(some.users, whole.users[wanted])
        assert some.request_times is not None and whole.request_times is not None
        assert np.array_equal(some.request_times, whole.request_times[wanted])
    cut, taken = whole.slice(1, 3), whole.take(np.array([1, 2]))
    for name, value in vars(cut).items():
        assert np.array_equal(value, vars(taken)[name]), name


@given(histories, st.integers(0, 16))
def test_rows_that_are_joined_stand_under_each_other(rows: list[list[int]], cut: int) -> None:
    whole = replace(contexts_of(rows), request_times=np.arange(len(rows)))
    cut = min(cut, len(rows))
    joined = Contexts.joined([whole.slice(0, cut), whole.slice(cut, len(rows))])
    assert rows_of(joined) == rows
    assert joined.users.tolist() == whole.users.tolist()
    for name in ("times", "request_times"):
        assert vars(joined)[name].tolist() == vars(whole)[name].tolist()
    assert Contexts.joined([whole]) is whole


@given(st.lists(histories, min_size=1, max_size=4), st.booleans(), st.booleans())
def test_any_number_of_parts_is_joined_with_all_columns(
    tables: list[list[list[int]]], timed: bool, kinds: bool
) -> None:
    made = []
    for rows in tables:
        one, count = contexts_of(rows), sum(map(len, rows))
        marks = np.arange(count) % 5
        more = {"events": marks.astype(np.uint8), "polarities": (marks - 2).astype(np.int8)}
        one = replace(one, **more) if kinds else one
        made.append(one if timed else replace(one, times=None))
    joined = Contexts.joined(made)
    assert rows_of(joined) == [row for rows in tables for row in rows]
    assert joined.offsets[0] == 0 and joined.offsets.dtype == np.int64
    assert set(joined.columns) == set(made[0].columns)
    for name, column in joined.columns.items():
        assert column.dtype == made[0].columns[name].dtype
    start = 0
    for one in made:
        back = joined.slice(start, start + len(one))
        for name, value in vars(one).items():
            assert np.array_equal(vars(back)[name], value) if value is not None else True
        start += len(one)


def test_parts_without_rows_or_events_join_too() -> None:
    nobody, silent = contexts_of([[1]]).slice(0, 0), contexts_of([[], []])
    joined = Contexts.joined([nobody, silent, contexts_of([[4, 5]]), nobody])
    assert rows_of(joined) == [[], [], [4, 5]]
    assert joined.users.tolist() == [0, 1, 0]
    assert len(Contexts.joined([nobody, nobody])) == 0
