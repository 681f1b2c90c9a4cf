"""evaluate() against references of a few lines, and what must never change a value."""

import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.queries import Queries
from tastemaker.data.splits import last_events, leave_one_out
from tastemaker.errors import BadInput, NumericFault
from tastemaker.metrics.beyond_accuracy import coverage
from tastemaker.metrics.evaluate import EvalOptions, Evaluation, evaluate
from tastemaker.metrics.ranking import UNRANKABLE
from tests.metrics import brute_force as reference
from tests.metrics.brute_force import Table, masked, queries, rows_of

ITEMS = 30


def random_queries(rng: np.random.Generator, users: int, targets: int) -> Queries:
    """Contexts of up to 12 events with repeats; up to `targets` targets outside the context."""
    contexts, wanted = [], []
    for _ in range(users):
        past = rng.integers(1, ITEMS + 1, rng.integers(0, 13)).tolist()
        fresh = [code for code in range(1, ITEMS + 1) if code not in past]
        count = 1 if targets == 1 else int(rng.integers(1, targets + 1))
        contexts.append(past)
        wanted.append(rng.choice(fresh, count, replace=targets > 3).tolist())
    return queries(contexts, wanted)


def random_scores(rng: np.random.Generator, users: int) -> np.ndarray:
    """Few distinct values and some masks."""
    scores = rng.integers(0, 12, (users, ITEMS)).astype(np.float32)
    scores[rng.random(scores.shape) < 0.05] = -np.inf
    return scores


def expected(
    scores: np.ndarray, asked: Queries, candidates: np.ndarray, leave_out: bool, ks: tuple[int, ...]
) -> Iterator[tuple[int, list[int], dict[str, float]]]:
    """For each query: rank of the first target, the list, and the metrics."""
    pasts = rows_of(asked.contexts.items, asked.contexts.offsets)
    wanted = rows_of(asked.target_items, asked.target_offsets)
    one_each = all(len(targets) == 1 for targets in wanted)
    barred = (np.flatnonzero(~candidates) + 1).tolist()
    for row, past, targets in zip(scores.tolist(), pasts, wanted, strict=True):
        row = masked(row, [*barred, *(past if leave_out else [])])
        place, ranked, found = reference.rank(row, targets[0]), reference.top(row, max(ks)), {}
        for k in ks:
            values = reference.single(place, k) if one_each else reference.multi(ranked, targets, k)
            found |= {f"{name}@{k}": value for name, value in values.items()}
        yield place, ranked, found


@pytest.mark.parametrize("targets", [1, 3, 6])
@pytest.mark.parametrize("filter_seen", [True, False])
def test_every_metric_equals_the_reference_under_both_conventions(
    targets: int, filter_seen: bool
) -> None:
    rng, ks = np.random.default_rng(targets), (1, 3, 10, 40)
    asked, scores = random_queries(rng, 150, targets), random_scores(rng, 150)
    candidates = rng.random(ITEMS) < 0.8
    found = evaluate(Table(scores), asked, EvalOptions(ks, filter_seen, candidates, 64))
    conventions = {"": filter_seen, "/unfiltered" if filter_seen else "/filtered": not filter_seen}
    for suffix, leave_out in conventions.items():
        cases = expected(scores, asked, candidates, leave_out, ks)
        for at, (place, ranked, metrics) in enumerate(cases):
            for name, value in metrics.items():
                assert found.per_user[name + suffix][at] == pytest.approx(value, abs=1e-9)
            if not suffix:
                assert [code for code in found.lists[at].tolist() if code] == ranked
                assert found.ranks is None or found.ranks[at] == place
    assert len(found.per_user) == 2 * len(ks) * (3 if targets == 1 else 4)
    assert (found.ranks is None) == (targets > 1)


def same(one: Evaluation, other: Evaluation) -> None:
    assert one.per_user.keys() == other.per_user.keys()
    for name, values in one.per_user.items():
        np.testing.assert_allclose(values, other.per_user[name], rtol=0, atol=1e-6)
    assert one.lists.tolist() == other.lists.tolist()
    assert (one.tied, one.unrankable) == (pytest.approx(other.tied), other.unrankable)


@pytest.mark.parametrize("targets", [1, 4])
def test_chunks_order_and_threads_change_no_value(targets: int) -> None:
    rng = np.random.default_rng(5)
    asked, model = random_queries(rng, 90, targets), Table(random_scores(rng, 90))
    whole = evaluate(model, asked, EvalOptions(chunk=1000))
    for chunk in (1, 7, 90):
        same(whole, evaluate(model, asked, EvalOptions(chunk=chunk)))
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(2 if threads == 1 else 1)
        same(whole, evaluate(model, asked, EvalOptions()))
    finally:
        torch.set_num_threads(threads)
    order = rng.permutation(90)
    shuffled = evaluate(model, asked.take(order), EvalOptions(chunk=16))
    assert shuffled.users.tolist() == order.tolist()
    for name, values in whole.per_user.items():
        np.testing.assert_array_equal(values[order], shuffled.per_user[name])


def test_the_seen_filter_removes_exactly_the_context() -> None:
    rng = np.random.default_rng(6)
    asked = random_queries(rng, 1000, 1)
    options = EvalOptions(list_length=ITEMS, chunk=300)
    found = evaluate(Table(rng.random((1000, ITEMS))), asked, options)
    everything = set(range(1, ITEMS + 1))
    for shown, past in zip(
        found.lists.tolist(), rows_of(asked.contexts.items, asked.contexts.offsets), strict=True
    ):
        listed = shown[: ITEMS - len(set(past))]
        assert set(listed) == everything - set(past), "0, the padding, is in no list"
        assert not any(shown[len(listed) :])


def test_repeated_targets_are_refused_not_missed() -> None:
    asked = queries([[1, 2], [3, 4], [5]], [[6], [4], [5]])
    model = Table(np.random.default_rng(0).random((3, 8)))
    with pytest.raises(BadInput) as caught:
        evaluate(model, asked)
    assert "2 of 3 targets" in caught.value.what
    assert "code" not in str(caught.value)
    assert "filter_seen=False" in caught.value.fix
    found = evaluate(model, asked, EvalOptions(ks=(8,), filter_seen=False))
    assert set(found.per_user) == {"hr@8", "ndcg@8", "mrr@8"}, "no second convention"
    assert found.mean("hr@8") == 1.0


def test_targets_that_cannot_be_ranked_are_misses_and_counted() -> None:
    scores = np.random.default_rng(0).random((3, 20))
    scores[2, 4] = -math.inf
    candidates = np.ones(20, bool)
    candidates[9] = False
    asked = queries([[1], [1], [1]], [[2], [10], [5]])
    found = evaluate(Table(scores), asked, EvalOptions((20, 50), candidates=candidates))
    assert found.unrankable == 2
    assert found.ranks is not None and found.ranks[1:].tolist() == [UNRANKABLE, UNRANKABLE]
    assert found.per_user["hr@50"].tolist() == [1.0, 0.0, 0.0]
    both = queries([[1], [1], [1]], [[2, 10], [10, 5], [5, 6]])
    several = evaluate(Table(scores), both, EvalOptions((20,), candidates=candidates))
    assert several.unrankable == 3
    assert several.per_user["recall@20"].tolist() == [0.5, 0.5, 0.5]


def test_constant_scores_earn_nothing_and_an_oracle_everything() -> None:
    rng = np.random.default_rng(7)
    asked = random_queries(rng, 60, 1)
    flat = evaluate(Table(np.zeros((60, ITEMS))), asked)
    assert flat.mean("hr@10") == 0.0 and flat.tied == 1.0
    several = random_queries(rng, 60, 3)
    for one in (asked, several):
        oracle = np.zeros((60, ITEMS))
        for user, targets in enumerate(rows_of(one.target_items, one.target_offsets)):
            oracle[user, np.array(targets) - 1] = 1
        found = evaluate(Table(oracle), one, EvalOptions(ks=(5, 10)))
        assert {name: found.mean(name) for name in found.per_user} == dict.fromkeys(
            found.per_user, pytest.approx(1.0)
        )


def test_one_list_for_all_covers_k_items() -> None:
    asked = random_queries(np.random.default_rng(9), 50, 1)
    popular = Table(np.tile(np.random.default_rng(9).random(ITEMS), (50, 1)))
    lists = evaluate(popular, asked, EvalOptions((10,), filter_seen=False)).lists
    assert coverage(lists, ITEMS) == pytest.approx(10 / ITEMS)


def test_random_scores_hit_by_chance() -> None:
    rng, users = np.random.default_rng(8), 4000
    asked = queries([[]] * users, rng.integers(1, 101, (users, 1)).tolist())
    found = evaluate(Table(rng.random((users, 100))), asked)
    assert found.mean("hr@10") == pytest.approx(0.1, abs=3 * math.sqrt(0.09 / users))


def test_ties_that_could_change_a_metric_are_counted() -> None:
    scores = np.array([[5, 5, 1, 0], [4, 3, 2, 1], [3, 2, 1, 1.0]])
    asked = queries([[], [], []], [[1], [1], [4]])
    assert evaluate(Table(scores), asked).tied == pytest.approx(2 / 3)
    both = queries([[], [], []], [[1, 3], [1, 2], [3, 2]])
    # Of six targets only user 0's item 1 (beside 2) and user 2's item 3 (cut from 4) are tied.
    assert evaluate(Table(scores), both, EvalOptions(ks=(3,))).tied == pytest.approx(2 / 6)
    assert evaluate(Table(scores), both, EvalOptions(ks=(1,))).tied == pytest.approx(1 / 6)


def test_a_fault_in_the_scores_names_the_user() -> None:
    scores = np.random.default_rng(0).random((300, ITEMS))
    scores[290, 3] = np.nan
    asked = queries([[1]] * 300, [[2]] * 300)
    with pytest.raises(NumericFault) as caught:
        evaluate(Table(scores), asked)
    assert "[290]" in caught.value.where and "position 3" in caught.value.where


@pytest.mark.parametrize(
    ("asked", "width", "mask", "words"),
    [
        (queries([], []), 5, 5, "no query"),
        (queries([[1], [1]], [[2], []]), 5, 5, "1 of 2 queries"),
        (queries([[1]], [[6]]), 5, 5, "item codes from 1 to 6"),
        (queries([[9]], [[2]]), 5, 5, "item codes from 1 to 9"),
        (queries([[0, 1]], [[2]]), 5, 5, "item codes from 0"),
        (queries([[1]], [[2]]), 5, 4, "candidate mask of 4"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(
    asked: Queries, width: int, mask: int, words: str
) -> None:
    options = EvalOptions(candidates=np.ones(mask, bool))
    with pytest.raises(BadInput) as caught:
        evaluate(Table(np.random.default_rng(0).random((2, width))), asked, options)
    assert words in caught.value.what


@pytest.mark.parametrize("bad", [{"ks": ()}, {"ks": (0,)}, {"chunk": 0}, {"list_length": 0}])
def test_options_below_one_are_refused(bad: dict) -> None:
    with pytest.raises(BadInput):
        EvalOptions(**bad)


def test_lists_are_as_long_as_asked() -> None:
    asked, model = queries([[1]], [[2]]), Table(np.arange(20.0)[None])
    assert evaluate(model, asked, EvalOptions(ks=(5, 3))).lists.shape == (1, 5)
    shown = evaluate(model, asked, EvalOptions(ks=(5,), list_length=2)).lists
    assert shown.tolist() == [[20, 19]] and shown.dtype == np.int32
    several = queries([[1]], [[2, 17]])
    short = evaluate(model, several, EvalOptions(ks=(5,), list_length=2))
    assert short.lists.shape == (1, 2) and short.mean("recall@5") == 0.5


class AsksWhen:
    """Scores the item highest whose code is the time of the request."""

    def score(self, contexts: Contexts) -> torch.Tensor:
        assert contexts.request_times is not None and contexts.times is not None
        scores = torch.zeros(len(contexts), ITEMS)
        scores[torch.arange(len(contexts)), torch.from_numpy(contexts.request_times) - 1] = 2
        assert contexts.times.tolist() == [10 * code for code in contexts.items]
        return scores


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("chunk", [1, 4, 64])
def test_times_go_with_their_rows_into_every_chunk(targets: int, chunk: int) -> None:
    asked = random_queries(np.random.default_rng(4), 50, targets)
    first = asked.target_items[asked.target_offsets[:-1]].astype(np.int64)
    past = replace(
        asked.contexts, request_times=first, times=10 * asked.contexts.items.astype(np.int64)
    )
    found = evaluate(AsksWhen(), replace(asked, contexts=past), EvalOptions(chunk=chunk))
    assert found.mean("hr@1") == 1.0


def test_what_is_measured_unless_asked_otherwise() -> None:
    asked = random_queries(np.random.default_rng(0), 3, 1)
    found = evaluate(Table(np.zeros((3, ITEMS))), asked)
    names = [f"{name}@{k}" for name in ("hr", "ndcg", "mrr") for k in (1, 5, 10, 20, 50)]
    assert set(found.per_user) == {*names, *(f"{name}/unfiltered" for name in names)}


class CountsContext:
    """Scores the context's most frequent items first; reads nothing else."""

    def score(self, contexts: Contexts) -> torch.Tensor:
        rows = rows_of(contexts.items, contexts.offsets)
        return torch.tensor([[float(row.count(code)) for code in (1, 2, 3, 4)] for row in rows])


def test_splits_feed_it_and_values_carry_user_ids() -> None:
    log = Interactions.from_sequences({"a": list("wwxwyw"), "b": list("xyxzyz"), "c": list("wx")})
    cuts = leave_one_out(log)
    found = evaluate(CountsContext(), cuts.queries("test"), EvalOptions((1, 2), filter_seen=False))
    frame = found.to_frame(log.user_ids)
    assert frame["user_id"].to_list() == ["a", "b"]
    assert frame.columns == ["user_id", *found.per_user]
    assert frame["hr@1"].to_list() == found.per_user["hr@1"].tolist()
    assert frame.schema["ndcg@2"] == pl.Float64
    horizon = last_events(log, 2).queries("test")
    several = evaluate(CountsContext(), horizon, EvalOptions((4,), filter_seen=False))
    assert several.mean("recall@4") == 1.0 and several.ranks is None


def test_memory_does_not_grow_with_the_users() -> None:
    """What was kept of each chunk stood between freed scores: 3 MB were lost a chunk."""
    program = """
import resource, numpy as np, torch
from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.metrics.evaluate import evaluate
class Same:
    scores = torch.arange(12_000) % 50.0
    def score(self, contexts):
        return self.scores.repeat(len(contexts), 1)
def peak(users):
    ones = np.ones(users, np.int32)
    contexts = Contexts(np.arange(users), np.arange(users + 1), ones)
    evaluate(Same(), Queries(contexts, ones * 7, np.arange(users + 1)))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
np.ones(1 << 22, np.float32)  # freed, it makes the allocator keep blocks of such sizes
few = peak(640)
print(peak(9_600) - few)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert float(done.stdout) < 120
