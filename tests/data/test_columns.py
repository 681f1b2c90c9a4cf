"""Sorting by (user, time, row) against Python's own stable sort."""

import numpy as np
import polars as pl
import pytest

from tastemaker.data.columns import Columns, pick
from tastemaker.data.dictionary import Dictionary


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("shuffled", [True, False])
def test_order_is_that_of_a_stable_sort(timed: bool, shuffled: bool) -> None:
    rng = np.random.default_rng(0)
    n = 300
    users, items = rng.integers(0, 9, n), rng.integers(0, 20, n)
    times = rng.integers(0, 5, n) if timed else None
    rows = rng.permutation(n) if shuffled else None
    known_users, known_items = Dictionary(), Dictionary()
    codes = known_users.code(pl.Series(users)), known_items.code(pl.Series(items))
    ids = known_users.ids(), known_items.ids()
    fields = Columns(*ids, *codes, times, None, None, rows).sort()
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


def test_pick() -> None:
    array = np.arange(4)
    assert pick(array, None) is array
    assert pick(None, array > 1) is None
    picked = pick(array, array > 1)
    assert picked is not None
    assert picked.tolist() == [2, 3]
