"""Item-to-item metrics on hand cases, and against sums written out."""

from dataclasses import dataclass

import numpy as np
import pytest
import scipy.sparse as sp

from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput, NumericFault
from tastemaker.metrics.item_to_item import (
    Following,
    Judge,
    best_lists,
    by_traffic,
    category_match,
    long_tail,
    recall,
    relevance,
    share_of,
)


def queries(rows: list[tuple[list[int], list[int]]]) -> Queries:
    """(context, targets) of each user."""
    past, coming = [row[0] for row in rows], [row[1] for row in rows]
    bounds = [np.cumsum([0, *map(len, parts)]).astype(np.int64) for parts in (past, coming)]
    flat = [np.array(sum(parts, []), np.int32) for parts in (past, coming)]
    return Queries(Contexts(np.arange(len(rows)), bounds[0], flat[0]), flat[1], bounds[1])


def written_out(rows: list[tuple[list[int], list[int]]], window: int) -> dict[int, set[int]]:
    found: dict[int, set[int]] = {}
    for past, coming in rows:
        whole = past + coming
        for at in range(len(past), len(whole)):
            for before in whole[max(0, at - window) : at]:
                if before != whole[at]:
                    found.setdefault(before, set()).add(whole[at])
    return found


def as_sets(following: Following) -> dict[int, set[int]]:
    bounds = zip(following.offsets, following.offsets[1:], strict=False)
    rows = [set(following.targets[start:stop].tolist()) for start, stop in bounds]
    return dict(zip(following.triggers.tolist(), rows, strict=True))


def test_what_follows_reaches_back_over_the_boundary_and_never_is_the_trigger() -> None:
    found = Following.of(queries([([5, 1, 2], [3, 2]), ([4], [3]), ([], [7])]), window=2)
    assert as_sets(found) == {1: {3}, 2: {3}, 3: {2}, 4: {3}}, "2 after 2 is no pair; 7 is first"
    assert found.traffic.tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize("window", [1, 3, 9])
def test_what_follows_equals_a_walk_through_every_history(window: int) -> None:
    rng = np.random.default_rng(0)
    rows = [
        (rng.integers(1, 12, rng.integers(0, 6)).tolist(), rng.integers(1, 12, size).tolist())
        for size in rng.integers(1, 6, 40)
    ]
    found = Following.of(queries(rows), window)
    assert as_sets(found) == written_out(rows, window)
    assert found.traffic.sum() >= len(found.targets), "an event that comes twice counts twice"


def test_some_triggers_and_some_targets() -> None:
    found = Following.of(queries([([1, 2], [3, 4])]), window=9)
    wanted = np.isin(np.arange(1, 5), [1, 4])
    assert as_sets(found) == {1: {3, 4}, 2: {3, 4}, 3: {4}}
    assert as_sets(found.asked_from(wanted)) == {1: {3, 4}}
    assert as_sets(found.towards(wanted)) == {1: {4}, 2: {4}, 3: {4}}
    assert as_sets(found.towards(np.isin(np.arange(1, 5), [3]))) == {1: {3}, 2: {3}}
    assert as_sets(found.towards(np.zeros(4, bool))) == {}
    assert as_sets(Following.of(queries([([1], [1])]))) == {}


def following(targets: dict[int, list[int]], traffic: list[float]) -> Following:
    flat = np.array(sum(targets.values(), []), np.int32)
    bounds = np.cumsum([0, *map(len, targets.values())]).astype(np.int64)
    return Following(np.array(list(targets), np.int32), flat, bounds, np.array(traffic))


def test_recall_by_hand() -> None:
    truth = following({1: [2, 3, 9], 4: [5]}, [3, 1])
    lists = np.array([[7, 3, 2], [6, 5, 0]], np.int32)
    found = recall(lists, truth, (1, 2, 3))
    assert found["recall@1"].tolist() == [0, 0]
    assert found["recall@2"] == pytest.approx([1 / 3, 1])
    assert found["recall@3"] == pytest.approx([2 / 3, 1])
    weighted = by_traffic(found["recall@2"], truth.traffic)
    assert weighted.mean() == pytest.approx((3 * 1 / 3 + 1 * 1) / 4)


def test_a_list_of_another_length_is_refused() -> None:
    truth = following({1: [2], 4: [5]}, [1, 1])
    for shape in ((2, 2), (1, 3)):
        with pytest.raises(BadInput):
            recall(np.ones(shape, np.int32), truth, (3,))


def test_lists_are_the_best_without_the_trigger() -> None:
    table = np.array([[9, 1, 1, 5], [0, 9, -np.inf, -1], [3, 3, 9, 3]], np.float32)
    lists = best_lists(lambda some: table[some - 1], np.array([1, 2, 3], np.int32), 3)
    assert lists.tolist() == [[4, 2, 3], [1, 4, 0], [1, 2, 4]]
    longer = best_lists(lambda some: table[some - 1], np.array([1], np.int32), 6)
    assert longer.tolist() == [[4, 2, 3, 0, 0, 0]]
    with pytest.raises(NumericFault):
        best_lists(lambda some: table[some - 1] * np.nan, np.array([1], np.int32), 3)


def test_relevance_by_hand() -> None:
    vectors = np.array([[1, 0], [0, 2], [3, 3], [0, 0]], np.float32)
    lists = np.array([[2, 3, 4], [3, 0, 0], [0, 0, 0]], np.int32)
    half = np.sqrt(0.5)
    found = relevance(vectors, lists, np.array([1, 2, 3], np.int32))
    assert found == pytest.approx([half / 3, half, 0]), "item 4 is like nothing"


def test_diversity_equals_the_mean_over_pairs() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(9, 3)).astype(np.float32)
    vectors[4] = 0
    lists = np.array([[1, 5, 3, 9], [2, 3, 0, 0], [2, 0, 0, 0]], np.int32)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    cosines = unit @ unit.T
    want = []
    for row in lists:
        codes = row[row > 0] - 1
        pairs = [cosines[a, b] for a in codes for b in codes if a < b]
        want.append(1 - np.mean(pairs) if pairs else 0.0)
    assert Judge(vectors).diversity(lists) == pytest.approx(want, abs=1e-6)


def test_categories_in_common() -> None:
    membership = sp.csr_array(np.array([[1, 1], [0, 1], [1, 0], [0, 0]], np.float32))
    lists = np.array([[2, 3, 4], [1, 3, 0], [1, 2, 3]], np.int32)
    found = category_match(lists, np.array([1, 2, 4], np.int32), membership)
    assert found == pytest.approx([2 / 3, 1 / 2, 0])


def test_cold_items_and_the_long_tail() -> None:
    counts = np.array([0, 6, 1, 3, 2])
    lists = np.array([[1, 2], [1, 0]], np.int32)
    assert share_of(lists, counts == 0).tolist() == [0.5, 1]
    assert long_tail(counts).tolist() == [True, False, True, True, True]
    assert long_tail(counts, 0.6).tolist() == [True, False, True, False, True]


@dataclass(frozen=True)
class Letters:
    """An encoder whose vectors count two letters."""

    identity: str
    dim: int = 2

    def __call__(self, inputs: list[str]) -> np.ndarray:
        return np.array([[text.count("a"), text.count("b")] for text in inputs], np.float32)


def test_nobody_is_judged_by_what_it_learnt_from() -> None:
    texts = ["a", "aa", "b"]
    judge = Judge.of(Letters("one"), texts, ["two"])
    lists = np.array([[2, 3]], np.int32)
    assert judge.relevance(lists, np.array([1], np.int32)) == pytest.approx([0.5])
    with pytest.raises(BadInput, match="circular"):
        Judge.of(Letters("one"), texts, {"two", "one"})


def test_recall_equals_sets_written_out() -> None:
    rng = np.random.default_rng(3)
    rows = [(rng.integers(1, 30, 4).tolist(), rng.integers(1, 30, 5).tolist()) for _ in range(60)]
    truth = Following.of(queries(rows))
    lists = np.stack([rng.permutation(np.arange(1, 30))[:12] for _ in truth.triggers])
    wanted = as_sets(truth)
    for k in (1, 5, 12):
        want = [
            len(set(row[:k].tolist()) & wanted[int(trigger)]) / len(wanted[int(trigger)])
            for row, trigger in zip(lists, truth.triggers, strict=True)
        ]
        assert recall(lists.astype(np.int32), truth, (k,))[f"recall@{k}"] == pytest.approx(want)


def test_parts_of_the_truth_fit_together() -> None:
    rng = np.random.default_rng(4)
    rows = [(rng.integers(1, 20, 3).tolist(), rng.integers(1, 20, 6).tolist()) for _ in range(30)]
    truth, wanted = Following.of(queries(rows)), rng.random(20) < 0.5
    near, rest = as_sets(truth.towards(wanted)), as_sets(truth.towards(~wanted))
    joined = {key: near.get(key, set()) | rest.get(key, set()) for key in {*near, *rest}}
    assert joined == as_sets(truth)
    kept = truth.asked_from(wanted)
    assert as_sets(kept) == {key: v for key, v in as_sets(truth).items() if wanted[key - 1]}
    places = np.searchsorted(truth.triggers, kept.triggers)
    assert kept.traffic.tolist() == truth.traffic[places].tolist()


def test_many_triggers_are_answered_as_each_alone() -> None:
    rng = np.random.default_rng(5)
    table = rng.integers(0, 4, (700, 700)).astype(np.float32)
    triggers = np.arange(1, 701, dtype=np.int32)
    together = best_lists(lambda some: table[some - 1], triggers, 7)
    for place in (0, 511, 512, 699):
        alone = best_lists(lambda some: table[some - 1], triggers[place : place + 1], 7)
        np.testing.assert_array_equal(together[place], alone[0])
    assert not (together == triggers[:, None]).any()


def test_what_scores_give_stays_theirs() -> None:
    table = np.arange(16, dtype=np.float32).reshape(4, 4)
    before = table.copy()
    best_lists(lambda _: table, np.arange(1, 5, dtype=np.int32), 2)
    np.testing.assert_array_equal(table, before)
