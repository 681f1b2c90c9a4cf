"""Everybody: shares of all others, lift, and a strength that is a number of standard errors."""

import math

import numpy as np
import polars as pl
import pytest

from tastemaker.data.declaration import Declaration
from tastemaker.data.groupings import Grouping
from tastemaker.data.interactions import Interactions
from tastemaker.data.signals import signals
from tastemaker.understand.everybody import Everybody

ROWS = [
    ("u", "t0", 0, "view"), ("u", "t0", 1, "view"), ("u", "t1", 2, "view"), ("u", "c0", 3, "view"),
    ("v", "t0", 4, "view"), ("v", "c0", 5, "view"), ("v", "c1", 6, "view"), ("v", "c2", 7, "skip"),
]  # fmt: skip


def everybody() -> Everybody:
    frame = pl.DataFrame(ROWS, schema=["user_id", "item_id", "timestamp", "event"], orient="row")
    declared = Declaration(events={"view": "implicit_positive", "skip": "implicit_negative"})
    found = signals(Interactions.from_frame(frame), declared)
    labels = ["Tea" if item[0] == "t" else "Chess" for item in found.log.item_ids]
    return Everybody.of(found, Grouping.from_labels(labels, "items"), labels)


def test_pairs_of_user_and_chosen_item_are_counted_once() -> None:
    """Tea: u has two items, v one; chess: u one, v two, and one that v passed over."""
    all_users = everybody()
    names = all_users.grouping.names
    assert dict(zip(names, all_users.chosen.tolist(), strict=True)) == {"Tea": 3, "Chess": 3}
    assert all_users.pairs == 6


def test_a_user_is_compared_with_all_others() -> None:
    all_users = everybody()
    tea = all_users.grouping.names.index("Tea")
    share, others, lift, strength = all_users.compared(tea, 2, 3)
    assert (share, others, lift) == (pytest.approx(2 / 3), pytest.approx(1 / 3), pytest.approx(2))
    expected = 1.5 / 4
    gain = 2 * math.log(2 / (3 * expected)) + math.log(1 / (3 * (1 - expected)))
    assert strength == pytest.approx(math.sqrt(2 * gain))


def test_strength_is_about_a_standard_normal_where_nothing_differs() -> None:
    """Users who draw from everybody's shares are beyond two about one time in twenty."""
    rng = np.random.default_rng(0)
    grouping = Grouping.from_labels(["Tea", "Chess"], "items")
    all_users = Everybody(grouping, {}, [], np.array([7e6, 3e6]), 10_000_000)
    found = [all_users.compared(0, int(k), 100)[3] for k in rng.binomial(100, 0.7, 2000)]
    beyond = float(np.mean(np.abs(found) > 2))
    assert 0.03 < beyond < 0.08
    assert abs(float(np.mean(found))) < 0.1


@pytest.mark.parametrize(("inside", "chosen"), [(0, 0), (0, 5), (5, 5), (3, 3)])
def test_ends_are_finite(inside: int, chosen: int) -> None:
    grouping = Grouping.from_labels(["Tea", "Chess"], "items")
    alone = Everybody(grouping, {}, [], np.array([5.0, 0.0]), 5)
    for group in (0, 1):
        share, others, lift, strength = alone.compared(group, inside, chosen)
        assert math.isfinite(share + others + strength + (lift or 0.0))
