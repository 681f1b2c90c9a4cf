"""The weights of a blend: those that win on validation, never below its best part there."""

import numpy as np
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.interactions import Interactions
from tastemaker.data.queries import Queries
from tastemaker.data.splits import last_events, leave_one_out
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend import blend_weights
from tastemaker.recommend.blend import Blend
from tastemaker.recommend.blend_weights import fit_weights
from tests.recommend.fixed_scores import Fixed


def world(users: int = 40, items: int = 60, targets: int = 1) -> tuple[Queries, dict[str, Fixed]]:
    """Two parts that are right for one half of the users each."""
    rng = np.random.default_rng(0)
    log = Interactions.from_sequences(
        {f"u{u:02}": [f"i{i}" for i in rng.permutation(items)[:9]] for u in range(users)}
    )
    cuts = leave_one_out(log) if targets == 1 else last_events(log, targets)
    queries = cuts.queries("valid")
    tables = {}
    for at, name in enumerate(("first", "second", "noise")):
        table = rng.normal(size=(users, log.num_items))
        for user in range(users):
            wanted = queries.target_items[
                queries.target_offsets[user] : queries.target_offsets[user + 1]
            ]
            if user % 2 == at:
                table[user, wanted - 1] += 6
        tables[name] = Fixed(table)
    return queries, tables


@pytest.mark.parametrize("targets", [1, 2])
def test_fitted_weights_beat_every_part(targets: int) -> None:
    queries, parts = world(targets=targets)
    everything = np.ones(parts["first"].table.shape[1], bool)
    weights, value = fit_weights(parts, queries, everything)
    assert weights["first"] == 1.0
    assert weights["second"] > 0.3
    measured = evaluate(Blend(parts, weights), queries, EvalOptions((10,))).mean("ndcg@10")
    assert value == pytest.approx(measured, abs=1e-6)
    for part in parts.values():
        assert value > evaluate(part, queries, EvalOptions((10,))).mean("ndcg@10")
    assert fit_weights(parts, queries, everything) == (weights, value)


def test_a_useless_first_part_can_be_left_out() -> None:
    queries, parts = world()
    swapped = {"noise": parts["noise"], "first": parts["first"]}
    weights, value = fit_weights(swapped, queries, np.ones(parts["first"].table.shape[1], bool))
    assert value >= evaluate(parts["first"], queries, EvalOptions((10,))).mean("ndcg@10") - 1e-6
    assert weights["first"] > 1 or weights["noise"] == 0


def several(count: int) -> tuple[Queries, dict[str, Fixed]]:
    """As many parts, each right for its own share of the users."""
    queries, parts = world(users=60)
    shape = tuple(parts["first"].table.shape)
    rng = np.random.default_rng(1)
    tables = {f"part {at}": rng.normal(size=shape) for at in range(count)}
    for user, wanted in enumerate(queries.target_items):
        tables[f"part {user % count}"][user, wanted - 1] += 6
    return queries, {name: Fixed(table) for name, table in tables.items()}


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_any_number_of_parts_is_blended(count: int) -> None:
    queries, parts = several(count)
    everything = np.ones(parts["part 0"].table.shape[1], bool)
    weights, value = fit_weights(parts, queries, everything)
    assert list(weights) == list(parts)
    assert all(weights.values())
    blended = evaluate(Blend(parts, weights), queries, EvalOptions((10,))).mean("ndcg@10")
    assert value == pytest.approx(blended, abs=1e-6)
    alone = [evaluate(p, queries, EvalOptions((10,))).mean("ndcg@10") for p in parts.values()]
    assert value > max(alone) if count > 1 else value == pytest.approx(alone[0], abs=1e-6)
    assert fit_weights(parts, queries, everything) == (weights, value)


def test_of_many_parts_the_useless_are_left_out_and_the_rest_scored_few_times() -> None:
    queries, parts = several(2)
    shape, rng, calls = tuple(parts["part 0"].table.shape), np.random.default_rng(2), [0]

    class Counted(Fixed):
        def score(self, contexts: Contexts) -> torch.Tensor:
            calls[0] += 1
            return super().score(contexts)

    noise = {f"noise {n}": Counted(rng.normal(size=shape)) for n in range(3)}
    weights, value = fit_weights(noise | parts, queries, np.ones(shape[1], bool))
    best_two = fit_weights(parts, queries, np.ones(shape[1], bool))[1]
    assert value >= 0.95 * best_two
    assert weights["part 0"] > 1 < weights["part 1"] or weights["noise 0"] == 0
    assert calls[0] <= 3 * (1 + 2 * 2 * 5)  # one chunk of users, and no grid of five dimensions


def test_masks_hold_while_fitting() -> None:
    queries, parts = world()
    candidates = np.ones(parts["first"].table.shape[1], bool)
    candidates[queries.target_items - 1] = False
    _, value = fit_weights(parts, queries, candidates)
    assert value == 0


@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize("cells", [1, 200, 2**18])
def test_among_equal_scores_the_value_is_that_of_the_evaluation(
    targets: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blend_weights, "_CELLS", cells)
    queries, parts = world(targets=targets)
    # Few levels, so that almost every place of a list is decided among equals.
    levels = {name: Fixed((part.table / 4).round().numpy()) for name, part in parts.items()}
    candidates = np.arange(levels["first"].table.shape[1]) % 7 > 0  # some targets are barred
    weights, value = fit_weights(levels, queries, candidates)
    found = evaluate(Blend(levels, weights), queries, EvalOptions((10,), candidates=candidates))
    assert found.tied > 0.2 and found.unrankable > 0
    assert value == pytest.approx(found.mean("ndcg@10"), abs=1e-12)


@pytest.mark.parametrize("targets", [[10], [11], [11, 10], [12, 11], [3, 11], [*range(1, 13)]])
def test_what_stands_below_the_tenth_place_is_worth_nothing(targets: list[int]) -> None:
    falling = {"only": Fixed(-np.arange(60.0)[None])}
    past = Contexts(np.array([0]), np.array([0, 0]), np.empty(0, np.int32))
    asked = Queries(past, np.array(targets, np.int32), np.array([0, len(targets)]))
    _, value = fit_weights(falling, asked, np.ones(60, bool))
    gained = sum(1 / np.log2(place + 1) for place in targets if place <= 10)
    ideal = sum(1 / np.log2(place + 2) for place in range(min(10, len(targets))))
    assert value == pytest.approx(gained / ideal, abs=1e-12)


def test_a_part_that_tells_nothing_apart_is_worth_nothing() -> None:
    queries, parts = world()
    flat = {"flat": Fixed(np.zeros(tuple(parts["first"].table.shape)))}
    assert fit_weights(flat, queries, np.ones(parts["first"].table.shape[1], bool))[1] == 0
