"""Sorting by (user, time, row) against Python's own stable sort."""

import numpy as np
import polars as pl
import pytest

from tastemaker.data.columns import Columns, dictionary, pick


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("shuffled", [True, False])
def test_order_is_that_of_a_stable_sort(timed: bool, shuffled: bool) -> None:
    rng = np.random.default_rng(0)
    n = 300
    users, items = rng.integers(0, 9, n), rng.integers(0, 20, n)
    times = rng.integers(0, 5, n) if timed else None
    rows = rng.permutation(n) if shuffled else None
    user_ids, user_codes = dictionary(pl.Series(users).cast(pl.String))
    item_ids, item_codes = dictionary(pl.Series(items).cast(pl.String))
    fields = Columns(user_ids, item_ids, user_codes, item_codes, times, None, None, rows).sort()
    order = sorted(
        range(n),
        key=lambda at: (
            users[at],
            0 if times is None else times[at],
            at if rows is None else rows[at],
        ),
    )
    got = [fields["item_ids"][int(code) - 1] for code in fields["items"]]
    assert got == [str(items[at]) for at in order]
    assert fields["user_ids"].to_list() == [str(user) for user in range(9)]
    assert np.array_equal(np.diff(fields["offsets"]), np.bincount(users))


def test_the_dictionary_keeps_the_order_of_appearance() -> None:
    ids, codes = dictionary(pl.Series(["b", "a", "b", "c"]))
    assert ids.to_list() == ["b", "a", "c"]
    assert codes.tolist() == [0, 1, 0, 2]


def test_pick() -> None:
    array = np.arange(4)
    assert pick(array, None) is array
    assert pick(None, array > 1) is None
    picked = pick(array, array > 1)
    assert picked is not None
    assert picked.tolist() == [2, 3]
