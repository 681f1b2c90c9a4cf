"""The merge of heads and who speaks, against plain loops over heads and items."""

import math
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from tastemaker.metrics.ranking import top_k
from tastemaker.recommend.prior_merge import HeadSet, Merge, merged, speakers

ITEMS, USERS, DIM = 7, 3, 4
MERGES: tuple[Merge, ...] = get_args(Merge)


def given_by(heads: HeadSet, items: Tensor, merge: Merge, user: int, head: int) -> dict[int, float]:
    """Item → what a head gives it, of the items that it knows."""
    if not heads.active[user, head]:
        return {}
    known = list(range(len(items)))
    if heads.known is not None:
        known = heads.known[head // (heads.outputs.shape[1] // len(heads.known))].tolist()
    scores = {item: float(heads.outputs[user, head] @ items[item]) for item in known}
    if merge == "calibrated" and known:
        most = max(scores.values())
        whole = most + math.log(sum(math.exp(score - most) for score in scores.values()))
        share = float(heads.log_shares[user, head])
        scores = {item: score - whole + share for item, score in scores.items()}
    more = 0.0 if heads.added is None else float(heads.added[user, head])
    return {item: score + more for item, score in scores.items()}


def by_hand(sets: list[HeadSet], items: Tensor, merge: Merge) -> tuple[list[list[float]], ...]:
    """Scores and speakers, one user, item and head after another."""
    users = len(sets[0].outputs)
    scores = [[-math.inf] * len(items) for _ in range(users)]
    speaking = [[-1] * len(items) for _ in range(users)]
    for user in range(users):
        told = [
            given_by(heads, items, merge, user, head)
            for heads in sets
            for head in range(heads.outputs.shape[1])
        ]
        for item in range(len(items)):
            values = [(head, said[item]) for head, said in enumerate(told) if item in said]
            if not values:
                continue
            only = [value for _, value in values]
            speaking[user][item] = next(head for head, value in values if value == max(only))
            if merge == "combine":
                scores[user][item] = max(only)
            elif merge == "average":
                scores[user][item] = sum(only) / len(only)
            else:
                scores[user][item] = math.log(sum(map(math.exp, only)) / len(sets))
    return scores, speaking


@dataclass(frozen=True)
class Case:
    """Sets of heads and items with whole numbers, so that equal scores are frequent and exact."""

    sets: list[HeadSet]
    items: Tensor


@st.composite
def cases(draw: st.DrawFn) -> Case:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    sets = []
    for number in range(draw(st.integers(1, 3))):
        groups, width = draw(st.integers(1, 3)), draw(st.integers(1, 2))
        known = None
        if number == 0 and draw(st.booleans()):
            holds = rng.random((groups, ITEMS)) < draw(st.sampled_from([0.1, 0.5, 1.0]))
            known = [torch.from_numpy(np.flatnonzero(row)) for row in holds]
        heads = groups * width
        sets.append(
            HeadSet(
                torch.from_numpy(rng.integers(-2, 3, (USERS, heads, DIM)).astype(np.float64)),
                known,
                torch.from_numpy(np.log(rng.dirichlet(np.ones(heads), USERS))),
                torch.from_numpy(rng.random((USERS, heads)) < draw(st.sampled_from([0.5, 1.0]))),
                torch.from_numpy(rng.integers(-1, 2, (USERS, heads)).astype(np.float64))
                if draw(st.booleans())
                else None,
            )
        )
    return Case(sets, torch.from_numpy(rng.integers(-1, 2, (ITEMS, DIM)).astype(np.float64)))


@pytest.mark.parametrize("merge", MERGES)
@given(case=cases())
@settings(max_examples=40, deadline=None)
def test_the_merge_is_what_plain_loops_give(merge: Merge, case: Case) -> None:
    scores, _ = by_hand(case.sets, case.items, merge)
    got = merged(case.sets, case.items, merge)
    want = torch.tensor(scores, dtype=torch.float64)
    exact = (
        {"rtol": 1e-5, "atol": 1e-5} if merge == "calibrated" else {"rtol": 1e-12, "atol": 1e-12}
    )
    torch.testing.assert_close(got, want, **exact)


@pytest.mark.parametrize("merge", MERGES)
@given(case=cases())
@settings(max_examples=40, deadline=None)
def test_the_head_that_gives_most_speaks_and_of_equal_ones_the_first(
    merge: Merge, case: Case
) -> None:
    _, speaking = by_hand(case.sets, case.items, merge)
    got = speakers(case.sets, case.items, merge)
    assert got.dtype == torch.int64
    if merge != "calibrated":  # whole numbers: ties are exact
        assert got.tolist() == speaking
        return
    count = sum(heads.outputs.shape[1] for heads in case.sets)
    told = torch.full((USERS, count, ITEMS), -torch.inf, dtype=torch.float64)
    for user in range(USERS):
        passed = 0
        for heads in case.sets:
            for head in range(heads.outputs.shape[1]):
                for item, value in given_by(heads, case.items, merge, user, head).items():
                    told[user, passed + head, item] = value
            passed += heads.outputs.shape[1]
    assert torch.equal(got < 0, torch.tensor(speaking) < 0)
    most = told.amax(1)
    chosen = told.gather(1, got.clamp(min=0)[:, None])[:, 0]
    assert ((most - chosen)[got >= 0] < 1e-4).all()


@given(case=cases())
@settings(max_examples=40, deadline=None)
def test_lists_are_those_of_the_best_k_of_each_head(case: Case) -> None:
    """`combine` is top-k of each head, put together: items once, equal scores by the lower."""
    k, scores = 4, merged(case.sets, case.items, "combine").float()
    lists = top_k(scores, k)
    for user in range(USERS):
        best: dict[int, float] = {}
        for heads in case.sets:
            for head in range(heads.outputs.shape[1]):
                told = given_by(heads, case.items, "combine", user, head)
                for item in sorted(told, key=lambda i: (-told[i], i))[:k]:
                    best[item] = max(told[item], best.get(item, -math.inf))
        want = sorted(best, key=lambda item: (-best[item], item))[:k]
        found = [code - 1 for code in lists[user].tolist() if code]
        assert found == want and len(set(found)) == len(found)


def drawn(known: list[list[int]] | None = None, heads: int = 4, seed: int = 0) -> HeadSet:
    torch.manual_seed(seed)
    return HeadSet(
        torch.randn(USERS, heads, DIM),
        None if known is None else [torch.tensor(row, dtype=torch.int64) for row in known],
        torch.log_softmax(torch.randn(USERS, heads), 1),
        torch.ones(USERS, heads, dtype=torch.bool),
    )


@pytest.mark.parametrize("known", [None, [[0, 1, 2, 3], [2, 3, 4, 5, 6]]])
@pytest.mark.parametrize("others", [0, 2])
def test_calibrated_chances_of_all_items_sum_to_1(
    known: list[list[int]] | None, others: int
) -> None:
    sets = [drawn(known), *(drawn(heads=3, seed=seed) for seed in range(others))]
    chances = merged(sets, torch.randn(ITEMS, DIM), "calibrated").exp()
    torch.testing.assert_close(chances.sum(1), torch.ones(USERS))


@pytest.mark.parametrize("merge", MERGES)
def test_a_group_that_knows_nothing_says_nothing(merge: Merge) -> None:
    heads, items = drawn([[], [1, 2]]), torch.randn(ITEMS, DIM)
    scores, speaking = merged([heads], items, merge), speakers([heads], items, merge)
    known = torch.tensor([item in (1, 2) for item in range(ITEMS)])
    assert torch.equal(scores > -torch.inf, known.expand(USERS, -1))
    assert not scores.isnan().any()
    assert (speaking[:, known] >= 2).all() and (speaking[:, ~known] == -1).all()


@pytest.mark.parametrize("merge", MERGES)
def test_heads_that_are_not_active_say_nothing(merge: Merge) -> None:
    heads, items = drawn(), torch.randn(ITEMS, DIM)
    none = replace(heads, active=torch.zeros_like(heads.active))
    assert (merged([none], items, merge) == -torch.inf).all()
    assert (speakers([none], items, merge) == -1).all()
    only = heads.active.clone()
    only[:, [0, 1, 3]] = False
    alone = HeadSet(
        heads.outputs[:, 2:3], None, heads.log_shares[:, 2:3], heads.active[:, 2:3]
    )  # fmt: skip
    got = merged([replace(heads, active=only)], items, merge)
    torch.testing.assert_close(got, merged([alone], items, merge))
    assert (speakers([replace(heads, active=only)], items, merge) == 2).all()


def test_of_equal_heads_the_first_speaks_across_sets_too() -> None:
    heads, items = drawn(heads=1), torch.randn(ITEMS, DIM)
    twice = replace(
        heads,
        outputs=heads.outputs.repeat(1, 2, 1),
        log_shares=heads.log_shares.repeat(1, 2),
        active=heads.active.repeat(1, 2),
    )
    assert (speakers([twice, heads], items, "combine") == 0).all()
    off = replace(twice, active=torch.zeros_like(twice.active))
    assert (speakers([off, heads], items, "combine") == 2).all()


@pytest.mark.parametrize("merge", MERGES)
def test_a_favoured_head_gives_that_much_more(merge: Merge) -> None:
    heads, items = drawn([[0, 1, 2], [3, 4, 5, 6]]), torch.randn(ITEMS, DIM)
    added = torch.zeros(USERS, 4)
    added[:, :2] = 5.0  # both heads of the first group
    plain = merged([heads], items, merge)
    got = merged([replace(heads, added=added)], items, merge)
    torch.testing.assert_close(got[:, :3], plain[:, :3] + 5)
    assert torch.equal(got[:, 3:], plain[:, 3:])


@pytest.mark.parametrize("spread", [1.0, 200.0], ids=["near", "too far apart for one scale"])
@pytest.mark.parametrize("steered", [False, True])
def test_few_users_in_single_precision_are_mixed_as_many_in_double(
    spread: float, steered: bool
) -> None:
    torch.manual_seed(0)
    rows = ([0, 2, 3], [], [1, 2, 5], [0, 1, 2, 3, 4])
    known = [torch.tensor(row, dtype=torch.int64) for row in rows]
    outputs = spread * torch.randn(3, 8, 6, dtype=torch.float64)
    shares = torch.log_softmax(torch.randn(3, 8, dtype=torch.float64), 1)
    active = torch.rand(3, 8) < 0.7 if steered else None
    added = torch.randn(3, 8, dtype=torch.float64) if steered else None
    items = torch.randn(7, 6, dtype=torch.float64)  # the last one is in no group
    double = HeadSet(outputs, known, shares, active, added)
    single = HeadSet(
        outputs.float(), known, shares.float(), active, None if added is None else added.float()
    )
    want, got = merged([double], items, "calibrated"), merged([single], items.float(), "calibrated")
    assert (single.mixed(items.float()) is None) == (spread > 100)
    assert got[:, 6].isneginf().all()
    torch.testing.assert_close(got.double(), want, rtol=1e-4, atol=1e-4 * spread)
