"""Item to item without training: by hand."""

import numpy as np
import pytest

from tastemaker.data.contexts import Contexts
from tastemaker.data.pairs import Pairs, co_engaged
from tastemaker.recommend.item_to_item import (
    ContentNeighbours,
    CoVisited,
    Popular,
    PostHocBlend,
    standardised,
)

PAIRS = Pairs(
    np.array([1, 1, 2, 3], np.int32), np.array([2, 3, 3, 1], np.int32), np.array([3.0, 1, 2, 4])
)
COUNTS = np.array([5, 4, 6, 1])
ALL = np.arange(1, 5, dtype=np.int32)


@pytest.mark.parametrize("measure", ["cosine", "pmi", "share"])
def test_co_visitation_by_hand(measure: str) -> None:
    lift = {
        (1, 2): np.log(3 * 10 / (4 * 3)),
        (1, 3): np.log(1 * 10 / (4 * 3)),
        (2, 3): np.log(2 * 10 / (2 * 3)),
        (3, 1): np.log(4 * 10 / (4 * 4)),
    }
    want = {
        "cosine": {(1, 2): 3 / 12**0.5, (1, 3): 1 / 12**0.5, (2, 3): 2 / 6**0.5, (3, 1): 1},
        "share": {(1, 2): 3 / 4, (1, 3): 1 / 4, (2, 3): 1, (3, 1): 1},
        "pmi": {pair: max(0, value) / max(lift.values()) for pair, value in lift.items()},
    }[measure]
    scores = CoVisited.fit(PAIRS, COUNTS, measure)(ALL)  # type: ignore[arg-type]
    table = np.zeros((4, 4))
    for (trigger, target), value in want.items():
        table[trigger - 1, target - 1] = value
    assert scores == pytest.approx(table, abs=2e-6)


def test_what_never_followed_comes_last_by_popularity() -> None:
    scores = CoVisited.fit(PAIRS, COUNTS)(np.array([3, 4], np.int32))
    assert np.argsort(-scores[0]).tolist() == [0, 2, 1, 3]
    assert np.argsort(-scores[1]).tolist() == np.argsort(-COUNTS).tolist()
    assert np.argsort(-Popular(COUNTS)(ALL)[2]).tolist() == np.argsort(-COUNTS).tolist()


def test_pairs_of_no_events_leave_popularity() -> None:
    empty = co_engaged(Contexts.single([1]))
    for measure in ("cosine", "pmi", "share"):
        scores = CoVisited.fit(empty, COUNTS, measure)(ALL)  # type: ignore[arg-type]
        assert np.isfinite(scores).all() and np.argmax(scores, 1).tolist() == [2] * 4


def test_scores_are_standardised_over_the_other_items() -> None:
    scores = np.array([[100, 1, 2, 3], [5, 5, 9, 5]], np.float32)
    found = standardised(scores, np.array([1, 3], np.int32))
    assert found[0] == pytest.approx([0, -(1.5**0.5), 0, 1.5**0.5])
    assert found[1].tolist() == [0, 0, 0, 0]


def test_the_ends_of_the_dial_are_its_parts() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(4, 3)).astype(np.float32)
    content = ContentNeighbours(vectors / np.linalg.norm(vectors, axis=1, keepdims=True))
    visited = CoVisited.fit(PAIRS, COUNTS)
    ends = [standardised(one(ALL), ALL) for one in (visited, content)]
    for relevance in (0.0, 0.3, 1.0):
        blend = PostHocBlend(visited, content, relevance)(ALL)
        assert blend == pytest.approx((1 - relevance) * ends[0] + relevance * ends[1], abs=1e-5)
    assert np.diag(content(ALL)) == pytest.approx(1)


def test_measures_agree_with_counts_written_out() -> None:
    rng = np.random.default_rng(1)
    rows, size = rng.integers(1, 9, 60).astype(np.int32), 8
    pairs = co_engaged(Contexts(np.arange(6), np.arange(0, 61, 10, dtype=np.int64), rows))
    counts = np.bincount(rows, minlength=size + 1)[1:]
    table = np.zeros((size, size))
    table[pairs.triggers - 1, pairs.targets - 1] = pairs.weights
    first, second = table.sum(1, keepdims=True), table.sum(0, keepdims=True)
    every = np.arange(1, size + 1, dtype=np.int32)
    cosine = CoVisited.fit(pairs, counts)(every)
    assert cosine == pytest.approx(table / np.sqrt(first * second), abs=2e-6)
    share = CoVisited.fit(pairs, counts, "share")(every)
    assert share.sum(1) == pytest.approx(np.ones(size), abs=1e-4)
    pmi = CoVisited.fit(pairs, counts, "pmi")(every)
    assert pmi.max() == pytest.approx(1, abs=2e-6) and pmi.min() >= 0


def test_a_blend_has_an_answer_for_an_item_that_nothing_followed() -> None:
    vectors = np.eye(4, dtype=np.float32)
    vectors[3] = [0, 0.6, 0.8, 0]
    blend = PostHocBlend(CoVisited.fit(PAIRS, COUNTS), ContentNeighbours(vectors), 0.5)
    scores = blend(np.array([4], np.int32))[0]
    assert np.isfinite(scores).all()
    by_content = PostHocBlend(CoVisited.fit(PAIRS, COUNTS), ContentNeighbours(vectors), 1.0)
    assert np.argmax(by_content(np.array([4], np.int32))[0][:3]) == 2
