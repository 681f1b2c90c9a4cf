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
