"""Targets are counted and repeats found as sets would."""

import numpy as np
import polars as pl
import pytest

from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split, split
from tastemaker.errors import BadInput
from tastemaker.metrics import targets


def queries(rng: np.random.Generator, users: int, apart: int) -> Queries:
    """Twelve items, whose codes lie so far apart."""
    items = 12
    lengths, wanted = rng.integers(0, 8, users), rng.integers(1, 5, users)
    offsets, bounds = (np.concatenate([[0], np.cumsum(n)]) for n in (lengths, wanted))
    context = apart * rng.integers(1, items + 1, offsets[-1]).astype(np.int32)
    target = apart * rng.integers(1, items + 1, bounds[-1]).astype(np.int32)
    return Queries(Contexts(np.arange(users), offsets, context), target, bounds)


@pytest.mark.parametrize("apart", [1, 20_000, 300_000, 10**8])
def test_counts_and_repeats(apart: int) -> None:
    some = queries(np.random.default_rng(0), 60, apart)
    counts, repeats = targets.count_targets(some), targets.repeated_targets(some)
    for user in range(len(some)):
        own = slice(some.target_offsets[user], some.target_offsets[user + 1])
        seen = set(some.contexts.slice(user, user + 1).items.tolist())
        wanted = some.target_items[own].tolist()
        assert counts[user] == len(set(wanted))
        assert repeats[own].tolist() == [item in seen for item in wanted]


def test_queries_without_targets_are_refused() -> None:
    none = Queries(Contexts.single([1, 2]), np.empty(0, np.int32), np.array([0, 0]))
    with pytest.raises(BadInput, match="no target"):
        targets.count_targets(none)


def cuts_of(rows: list[tuple[str, str, int, str]]) -> Split:
    names = ["user_id", "item_id", "timestamp", "split"]
    return split(Interactions.from_frame(pl.DataFrame(rows, names, orient="row")), "given")


def test_a_split_is_checked_before_training() -> None:
    rows = [("ann", "cup", 1, "train"), ("ann", "pen", 2, "train"), ("ann", "cup", 9, "test")]
    validated = [*rows[:2], ("bob", "pen", 1, "train"), ("bob", "cup", 2, "valid"),
                 ("bob", "pen", 3, "test")]  # fmt: skip
    with pytest.raises(BadInput) as caught:
        targets.check_queries(cuts_of(validated))
    assert "'bob'" in caught.value.where and "'pen'" in caught.value.where
    assert "code" not in str(caught.value)
    targets.check_queries(cuts_of(validated), repeats=True)
    strangers = [("ann", "cup", 1, "train"), ("ann", "pen", 2, "test"), ("bob", "pen", 1, "train"),
                 ("cat", "cup", 1, "valid")]  # fmt: skip
    with pytest.raises(BadInput, match="no validation query"):
        targets.check_queries(cuts_of(strangers))


def test_a_clock_that_leaves_nothing_to_validate_is_refused() -> None:
    rows = [("new" if 81 <= n < 90 else "old", f"i{n % 7}", n) for n in range(100)]
    frame = pl.DataFrame(rows, ["user_id", "item_id", "timestamp"], orient="row")
    cuts = split(Interactions.from_frame(frame), "global-time")
    assert len(cuts.queries("test"))
    with pytest.raises(BadInput, match="no validation query"):
        targets.check_queries(cuts, repeats=True)
