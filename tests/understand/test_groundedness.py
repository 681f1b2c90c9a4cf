"""Groundedness: the predicate's truth table, golden vectors, and what recall means."""

import numpy as np
import pytest

from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.understand.groundedness import Thresholds, groundedness, harmonic, verified

MIND: tuple[Polarity, ...] = ("explicit_positive", "implicit_negative")
TABLE = [
    ((3, 0, 0, 0), True),
    ((2, 0, 0, 0), False),
    ((0, 2, 0, 0), True),
    ((2, 1, 0, 0), True),
    ((1, 1, 0, 0), False),
    ((3, 0, 4, 0), False),
    ((3, 0, 3, 0), True),
    ((0, 2, 0, 3), False),
    ((0, 2, 0, 2), True),
    ((0, 0, 0, 0), False),
]


def verdict(
    views: int, likes: int, skips: int, dislikes: int, kinds: tuple[Polarity, ...] = POLARITIES
) -> bool:
    return bool(verified(np.array([likes, views, skips, dislikes]), kinds))


@pytest.mark.parametrize(("counts", "want"), TABLE)
def test_the_table_of_the_predicate(counts: tuple[int, int, int, int], want: bool) -> None:
    """Numbers are (I+, E+, I-, E-)."""
    assert verdict(*counts) is want


def test_many_interests_at_once() -> None:
    rows = np.array([[likes, views, skips, bad] for (views, likes, skips, bad), _ in TABLE])
    assert verified(rows, POLARITIES).tolist() == [want for _, want in TABLE]
    assert verified(np.zeros((0, 4), np.int64), POLARITIES).shape == (0,)


def test_what_names_a_polarity_that_the_data_lack_is_dropped() -> None:
    assert not verdict(0, 1, 0, 0, MIND)
    assert verdict(0, 2, 3, 0, MIND)
    assert not verdict(2, 1, 0, 0, MIND), "counts of a lacking polarity are not looked at"
    assert verdict(0, 2, 0, 9, MIND)
    assert not verdict(0, 0, 1, 0, ("implicit_negative",))


def test_other_thresholds() -> None:
    strict = Thresholds(implicit_positive=5)
    assert not verified(np.array([0, 4, 0, 0]), POLARITIES, strict)


def test_a_prompt_can_tell_the_thresholds() -> None:
    every = " ".join(Thresholds().requirements(POLARITIES))
    assert "at least 1 explicit_positive items and at least 2 implicit_positive items" in every
    assert "at most 3 implicit_negative" in every
    mind = " ".join(Thresholds().requirements(MIND))
    assert "implicit_positive" not in mind
    assert "explicit_negative items" not in mind.replace("implicit_negative", "")


GOLDEN = ([1, 1, 2], [True, False, True])


@pytest.mark.parametrize(
    ("many", "recall", "f1"), [(3, 0.5, 0.6), (1, 1.5, 1.0)], ids=["three known", "one known"]
)
def test_golden_vectors_of_the_reference(many: int, recall: float, f1: float) -> None:
    found = groundedness(*GOLDEN, many, "reference")
    assert found.precision == pytest.approx(0.75, abs=1e-6)
    assert found.recall == pytest.approx(recall, abs=1e-6)
    assert found.f1 == pytest.approx(f1, abs=1e-6)
    assert groundedness(*GOLDEN, set(range(10, 10 + many)), "reference") == found


def test_strict_recall_is_of_what_is_known() -> None:
    found = groundedness(*GOLDEN, {2})
    assert (found.precision, found.recall, found.raw_recall) == (0.75, 1.0, 1.5)
    assert found.f1 == pytest.approx(0.857143, abs=1e-6)
    assert groundedness(*GOLDEN, {1}).recall == 0.5
    assert groundedness(*GOLDEN, {1, 2}).recall == 0.75
    assert groundedness(*GOLDEN, {9}).recall == 0
    assert groundedness(*GOLDEN, 1).recall == 1.0, "only the number is known"
    assert groundedness(*GOLDEN, 3).recall == 0.5


def test_nothing_predicted_or_nothing_known() -> None:
    for mode in ("strict", "reference"):
        assert groundedness([], [], {1}, mode).f1 == 0
        assert groundedness(*GOLDEN, set(), mode).recall == 0
    assert harmonic(0, 0) == 0
    assert harmonic(1, 0) == 0
