"""Pairs: exactly what a plain loop finds, however the histories look; nothing is in them twice."""

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.contexts import Contexts
from tastemaker.data.pairs import Pairs, co_engaged
from tastemaker.errors import BadInput
from tests.data.histories import contexts_of, histories


def by_hand(
    contexts: Contexts, window: int, minutes: float, cap: int
) -> dict[tuple[int, int], float]:
    """The definition, one occurrence after another."""
    found: dict[tuple[int, int], float] = {}
    for row in range(len(contexts)):
        one = contexts.slice(row, row + 1)
        occurrences = []
        for later in range(len(one.items)):
            for first in range(later):
                gap = later - first
                near = one.times is not None and minutes > 0
                near = near and one.times[later] - one.times[first] <= 60 * minutes
                if one.items[first] != one.items[later] and (gap <= window or near):
                    occurrences.append((gap, -first, int(one.items[first]), int(one.items[later])))
        for gap, _, first, then in sorted(occurrences)[:cap]:
            weight = 1 / math.log2(1 + gap) / math.sqrt(len(one.items))
            found[first, then] = found.get((first, then), 0) + weight
    return found


@settings(max_examples=60, deadline=None)
@given(
    histories,
    st.integers(1, 6),
    st.sampled_from([0.0, 0.7, 30.0]),
    st.sampled_from([1, 7, 40, 10_000]),
)
def test_pairs_are_those_of_a_plain_loop(
    rows: list[list[int]], window: int, minutes: float, cap: int
) -> None:
    contexts = contexts_of(rows)
    pairs, want = (
        co_engaged(contexts, window, minutes, cap),
        by_hand(contexts, window, minutes, cap),
    )
    keys = list(zip(pairs.triggers.tolist(), pairs.targets.tolist(), strict=True))
    assert keys == sorted(want)
    np.testing.assert_allclose(pairs.weights, [want[key] for key in keys], rtol=1e-12)


def test_the_kinds_of_its_columns() -> None:
    for rows in ([[1, 2, 3]], [[1]], [[]], [[4, 4]]):
        pairs = co_engaged(contexts_of(rows))
        assert (pairs.triggers.dtype, pairs.targets.dtype) == (np.int32, np.int32)
        assert pairs.weights.dtype == np.float64
        assert len(pairs) == (3 if rows == [[1, 2, 3]] else 0)


def test_a_log_in_order_alone_has_its_window() -> None:
    rows = contexts_of([[1, 2, 3, 4]])
    bare = Contexts(rows.users, rows.offsets, rows.items)
    assert len(co_engaged(bare, 1, minutes=30)) == 3
    assert len(co_engaged(rows, 1, minutes=30)) == 6


def test_pairs_of_a_trigger_stand_together_and_targets_have_shares() -> None:
    pairs = Pairs(np.array([1, 1, 3], np.int32), np.array([2, 3, 2], np.int32), np.ones(3))
    assert pairs.bounds(4).tolist() == [0, 0, 2, 2, 3, 3]
    np.testing.assert_allclose(pairs.target_shares(4), [0, 0, 2 / 3, 1 / 3, 0])
    empty = co_engaged(contexts_of([[1]]))
    assert not empty.target_shares(3).any()


@pytest.mark.parametrize("wrong", [{"window": 0}, {"minutes": -1.0}, {"cap": 0}])
def test_what_pairs_nothing_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        co_engaged(contexts_of([[1, 2]]), **wrong)  # type: ignore[arg-type]


def test_many_events_take_little_time() -> None:
    rng = np.random.default_rng(0)
    users, length = 2_000, 100
    offsets = np.arange(0, users * length + 1, length)
    items = (rng.zipf(1.3, users * length) % 5_000 + 1).astype(np.int32)
    began = time.process_time()
    pairs = co_engaged(Contexts(np.arange(users), offsets, items))
    taken = time.process_time() - began
    assert len(pairs) > 150_000
    assert taken < 3  # a twentieth of it on an idle machine
