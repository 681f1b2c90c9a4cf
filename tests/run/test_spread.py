"""Lists whose items lie apart, against hand-made vectors and a plain rule."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.run import spread as module
from tastemaker.run.spread import Spread, spread, unit

EAST, NORTH, WEST = [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]
NEAR_EAST = [0.8, 0.6]


def order(scores: list[float], vectors: list[list[float]], weight: float) -> list[int]:
    made = spread(np.array(scores), np.array(vectors, np.float32), weight, len(scores))
    return made.tolist()


def test_hand_made_vectors() -> None:
    scores, vectors = [1.0, 0.9, 0.5, 0.1], [EAST, EAST, NORTH, WEST]
    # d = .5 after the first: .45 − .5, .25 − 0, .05 + .5; then twins lose .5, north .0.
    assert order(scores, vectors, 0.5) == [0, 3, 2, 1]
    # d = .2: .72 − .2 = .52, .4, .08 + .2 = .28; then north .4 before west .28.
    assert order(scores, vectors, 0.2) == [0, 1, 2, 3]
    # d = .3: .63 − .3 = .33, .35, .07 + .3 = .37.
    assert order(scores, vectors, 0.3) == [0, 3, 2, 1]


def test_nothing_apart_is_the_ranking_itself() -> None:
    rng = np.random.default_rng(0)
    scores = np.sort(rng.integers(0, 5, 40) / 5.0)[::-1]
    vectors = unit(rng.normal(size=(40, 3)))
    assert spread(scores, vectors, 0.0, 40).tolist() == list(range(40))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_each_place_goes_to_the_best_of_the_rule(seed: int, weight: float) -> None:
    rng = np.random.default_rng(seed)
    scores = np.sort(rng.random(30))[::-1]
    vectors = unit(rng.normal(size=(30, 4)))
    made = spread(scores, vectors, weight, 12).tolist()
    assert made[0] == 0 and len(set(made)) == 12
    wide = vectors.astype(float)
    for place in range(1, 12):
        worth = {
            row: (1 - weight) * scores[row] - weight * max(wide[made[:place]] @ wide[row])
            for row in range(30)
            if row not in made[:place]
        }
        assert made[place] == max(worth, key=lambda row: (worth[row], -row))


def test_as_far_apart_as_can_be() -> None:
    # The opposite of the first, then what lies between both, the better one of two such.
    assert order([1, 0.9, 0.8, 0.7, 0.1], [EAST, NEAR_EAST, NORTH, NORTH, WEST], 1.0)[:3] == [
        0, 4, 2,
    ]  # fmt: skip
    # Of equally unlike ones the best ranked.
    assert order([1, 0.9, 0.8], [EAST, NORTH, NORTH], 1.0) == [0, 1, 2]


def test_an_item_without_a_vector_is_unlike_any_other() -> None:
    assert order([1, 0.9, 0.8], [EAST, EAST, [0, 0]], 0.5) == [0, 2, 1]
    assert unit(np.array([[0.0, 0.0], [3.0, 4.0]])).tolist() == [[0, 0], pytest.approx([0.6, 0.8])]


def test_pages_follow_each_other_and_the_ranking_goes_on_behind_the_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "POOL", 8)
    rng = np.random.default_rng(1)
    codes, scores = np.arange(1, 13)[None], np.sort(rng.random(12))[::-1][None]
    apart = Spread(0.6, unit(rng.normal(size=(12, 3))))
    whole = apart.orders(codes, scores, 12)[0].tolist()
    for k in (1, 3, 8, 10):
        assert apart.orders(codes, scores, k)[0].tolist()[:k] == whole[:k]
    assert whole[8:] == [8, 9, 10, 11]
    assert sorted(whole) == list(range(12))


def test_places_where_no_item_is_left_stay_last() -> None:
    codes, scores = np.array([[3, 1, 0, 0]]), np.array([[1.0, 0.5, np.nan, np.nan]])
    made = Spread(0.5, unit(np.eye(3))).orders(codes, scores, 4)
    assert made.tolist() == [[0, 1, 2, 3]]
    empty = Spread(0.5, unit(np.eye(3))).orders(np.zeros((1, 2), int), np.full((1, 2), np.nan), 2)
    assert sorted(empty[0].tolist()) == [0, 1]


def slowly(scores: list[float], vectors: list[list[float]], weight: float, k: int) -> list[int]:
    """The rule, with a loop for everything."""
    listed: list[int] = []
    while len(listed) < min(k, len(scores)):
        best, most = -1, -np.inf
        for row, score in enumerate(scores):
            if row in listed:
                continue
            worth = (1 - weight) * score
            if listed:
                dots = [sum(map(float.__mul__, vectors[row], vectors[other])) for other in listed]
                worth -= weight * max(dots)
            if worth > most:
                best, most = row, worth
        listed.append(best)
    return listed


# Eighths and unit vectors along axes: every sum is exact, so that equal ones are equal.
eighths = st.integers(0, 8).map(lambda n: n / 8)
along_axes = st.sampled_from([EAST, NORTH, WEST, [0.0, -1.0], [0.0, 0.0]])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(eighths, along_axes), max_size=12),
    st.sampled_from([0.0, 0.125, 0.25, 0.5, 0.75, 1.0]),
    st.integers(1, 15),
)
def test_lists_are_those_of_a_slow_loop_also_where_items_are_equal(
    ranked: list[tuple[float, list[float]]], weight: float, k: int
) -> None:
    scores = sorted((score for score, _ in ranked), reverse=True)
    vectors = [vector for _, vector in ranked]
    flat = np.array(vectors, np.float32).reshape(-1, 2)
    made = spread(np.array(scores), flat, weight, k).tolist()
    assert made == slowly(scores, vectors, weight, k)
    if weight == 0:
        assert made == list(range(len(made)))


@settings(max_examples=30, deadline=None)
@given(st.permutations(range(1, 9)), st.integers(0, 8), st.integers(1, 10), st.booleans())
def test_an_order_has_every_place_once_whatever_is_left_of_a_list(
    codes: list[int], left: int, k: int, whole: bool
) -> None:
    rng = np.random.default_rng(left)
    vectors = unit(rng.normal(size=(8, 2)))
    row = np.array([*codes[:left], *[0] * (8 - left)])
    scores = np.where(row > 0, np.linspace(1, 0, 8), np.nan)
    made = Spread(1.0 if whole else 0.5, vectors).order(row, scores, k).tolist()
    assert sorted(made) == list(range(8))
    assert made[left:] == list(range(left, 8))  # behind the last item nothing moves
    if left:
        assert made[0] == 0
        alone = spread(scores[:left], vectors[row[:left] - 1], 1.0 if whole else 0.5, k)
        assert made[: len(alone)] == alone.tolist()


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=3), min_size=1, max_size=5))
def test_directions_have_length_one_or_none(rows: list[list[float]]) -> None:
    made = unit(np.array(rows))
    for row, vector in zip(made, rows, strict=True):
        length = float(np.linalg.norm(vector))
        assert np.isfinite(row).all()
        if length == 0:
            assert not row.any()
        elif length > 1e-20:
            assert np.allclose(row, np.array(vector) / length, atol=1e-6)
