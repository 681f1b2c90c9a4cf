"""What recipes share: verdicts in the words of the rule, and claims about any metric."""

import importlib
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.groupings import Grouping
from tastemaker.data.pairs import Pairs, co_engaged
from tastemaker.data.splits import split
from tastemaker.metrics.comparisons import Difference, Verdict
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import options_of
from tastemaker.recommend.item_to_item import CoVisited
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.train.config import FitConfig
from tastemaker.worlds.logs import planted_groups
from tastemaker.worlds.trends import TrendOptions, trend_bursts

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file that recipes share."""
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module


def relation(verdict: str) -> dict[str, Any]:
    return {"id": "R1", "claim": "a is above b", "a": "a", "b": "b", "metric": "ndcg@10",
            "difference": 0.01, "ci95": [-0.01, 0.03], "verdict": verdict}  # fmt: skip


def test_figures_colour_what_is_settled_and_nothing_else(shared: Any) -> None:
    figures = shared("figures")
    pictures = {
        word: figures.figure({"data": "x", "users": 9, "relations": [relation(word)]})
        for word in get_args(Verdict)
    }
    first, second = figures.SERIES[:2]
    coloured = {word: (first in svg, second in svg) for word, svg in pictures.items()}
    assert coloured == {
        "holds": (True, False),
        "fails": (False, True),
        "undecided": (False, False),
        "underpowered": (False, False),
    }


def test_evidence_is_about_the_metrics_of_its_recipe(
    shared: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = shared("evidence")
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    found = evidence.Evidence("x", "paper", "data", "toy", (0, 1, 2), metrics=("recall@20", "hr@5"))
    rng = np.random.default_rng(0)
    for _ in found.seeds:
        worse = {metric: rng.random(50) for metric in found.metrics}
        found.add("b", worse)
        found.add("a", {metric: values + 0.1 for metric, values in worse.items()})
    found.relate("R1", "a is above b", "a", "b")
    found.relate("R2", "a is above b", "a", "b", "hr@5")
    found.against_published("a", 0.1)
    assert [(one["metric"], one["verdict"]) for one in found.relations] == [
        ("recall@20", "holds"),
        ("hr@5", "holds"),
    ]
    assert "RECALL@20" in found.notes[0]
    assert json.loads(found.write().read_text())["users"] == 50


def test_fronts_are_drawn_with_their_numbers(shared: Any) -> None:
    points = {"two heads": [[0.1, 0.2], [0.15, 0.1]], "blend": [[0.12, 0.11]]}
    picture = shared("figures").fronts({"data": "x", "fronts": points})
    assert "two heads: 0.100 0.200, 0.150 0.100; blend: 0.120 0.110" in picture


def test_an_arm_without_a_metric_has_a_dash_for_it(shared: Any) -> None:
    arms = {"a": {"ndcg@10": [0.5]}, "b": {"area": [0.25]}}
    found = {"arms": arms, "seeds": [0], "data": "x", "users": 9, "notes": [], "relations": []}
    table = shared("render").recipe_table(found)
    assert "| a | 0.5000 | – |" in table and "| b | – | 0.2500 |" in table


def test_a_difference_measured_elsewhere_is_a_relation_like_any(shared: Any) -> None:
    found = shared("evidence").Evidence("x", "paper", "data", "toy", (0, 1, 2), ("recall@50",))
    higher = Difference(difference=0.2, ci95=(0.1, 0.3), per_seed=(0.1, 0.2, 0.3), reference=1.0)
    found.state("R3", "a holds more", "a", "b", "area", higher)
    assert found.relations == [
        {"id": "R3", "claim": "a holds more", "a": "a", "b": "b", "metric": "area",
         "difference": 0.2, "ci95": [0.1, 0.3], "verdict": "holds"}
    ]  # fmt: skip


def two_circles(users: int = 300, items: int = 20) -> Pairs:
    """Even items go with even ones, odd with odd."""
    rng = np.random.default_rng(0)
    rows = [[int(rng.integers(items // 2)) * 2 + u % 2 + 1 for _ in range(8)] for u in range(users)]
    flat = np.array(sum(rows, []), np.int32)
    bounds = np.arange(0, len(flat) + 1, 8, dtype=np.int64)
    return co_engaged(Contexts(np.arange(users), bounds, flat))


def test_item2vec_finds_what_goes_together(shared: Any) -> None:
    pairs, counts = two_circles(), np.full(20, 100)
    values = iter([0.1, 0.3])
    found = shared("item2vec").item2vec(pairs, counts, 0, lambda _: next(values), 1000)
    scores = found(np.array([1, 2], np.int32))
    assert scores[0, ::2].min() > scores[0, 1::2].max()
    assert scores[1, 1::2].min() > scores[1, ::2].max()


def test_the_loss_of_item2vec_by_hand(shared: Any) -> None:
    a, b = torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0, 5.0]])
    others = torch.tensor([[[0.0, 1.0], [-1.0, 0.0]]])
    want = -np.log(1 / (1 + np.exp(-2))) - np.log(0.5) - np.log(1 / (1 + np.exp(-1)))
    assert shared("item2vec").sgns(a, b, others).item() == pytest.approx(want)


@pytest.fixture(scope="module")
def task() -> Any:
    """A small world as the recipes on item-to-item lists cut and judge it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RECIPES))
        lists = importlib.import_module("item_lists")
    world = trend_bursts(TrendOptions(users=150, items=60, topics=4, strength=0.2))
    cuts = split(world.interactions(), "global-time")
    items = world.catalog().align(cuts.interactions.item_ids)
    parts = cuts.queries("valid"), cuts.queries("test")
    return lists.Task.of(items, cuts.train(), parts, True, share=1)


def test_columns_of_lists_are_those_of_the_recipe(task: Any) -> None:
    columns = task.columns(task.content, task.test)
    assert set(columns) == set(importlib.import_module("item_lists").COLUMNS)
    assert {len(values) for values in columns.values()} == {len(task.test)}
    assert columns["recall@10"].mean() <= columns["recall@50"].mean()
    assert columns["recall@50"].mean() == pytest.approx(task.recalled(task.content, task.test))
    assert not columns["cold@50"].any() and not columns["category@50"].any()


def test_a_dial_is_set_on_validation_and_its_front_begins_and_ends_with_its_parts(
    task: Any,
) -> None:
    visited = CoVisited.fit(task.pairs, task.counts)
    turn = task.blend(visited)
    recalls = {g / 10: task.recalled(turn(g / 10), task.valid) for g in range(11)}
    assert recalls[task.tuned(turn)] == max(recalls.values())
    front = task.front(turn)
    assert front.shape == (11, 2, len(task.test))
    for end, part in ((0, visited), (-1, task.content)):
        assert front[end][0].mean() == pytest.approx(task.recalled(part, task.test), abs=0.02)
    assert front[-1][1].mean() > front[0][1].mean(), "content is more alike"
    assert task.as_relevant(turn, turn(0.0)) == 0.0


def test_two_heads_of_a_recipe_are_one_dial_and_resumed(task: Any, tmp_path: Path) -> None:
    training = FitConfig(epochs=1, batch=8, metric="recall@10")
    shape = MTMHConfig(encoder="words", dim=8, width=8)
    heads, _ = task.trained(shape, training, tmp_path / "a")
    again, _ = task.trained(shape, training, tmp_path / "a")
    np.testing.assert_array_equal(heads.relevance, again.relevance)
    turn = importlib.import_module("item_lists").dial(heads)
    some = task.test.triggers[:3]
    ends = heads.trigger[some - 1] @ heads.target.T, heads.relevance[some - 1] @ heads.relevance.T
    for g in (0.0, 0.4, 1.0):
        np.testing.assert_allclose(turn(g)(some), (1 - g) * ends[0] + g * ends[1], atol=1e-5)
    bare, _ = task.trained(shape, training, tmp_path / "b", skip=False)
    assert not np.allclose(bare.relevance, heads.relevance)


@pytest.fixture(scope="module")
def bench() -> Any:
    """A small world as the recipe on heads of human priors measures it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RECIPES))
        measures = importlib.import_module("priors_measures")
    world = planted_groups(users=60, items=120)
    cuts = split(world.interactions(), "last-10")
    groups = Grouping.from_categories(world.catalog(), cuts.interactions.item_ids)
    return measures.Bench.of(cuts, groups)


def test_labels_dealt_anew_keep_what_groups_and_items_have(shared: Any) -> None:
    lists = [["War"], ["Drama"], ["War", "Drama"], [], ["Drama", "Noir"], ["War"]] * 20
    groups = Grouping.from_labels(pl.Series(lists, dtype=pl.List(pl.String)), "items")
    arms = shared("priors_arms")
    dealt = arms.shuffled(groups, 0)
    before, after = groups.membership, dealt.membership
    assert (before != after).nnz
    for axis in (0, 1):
        np.testing.assert_array_equal(before.sum(axis), after.sum(axis))
    assert arms.everywhere(groups).membership.sum() == len(lists) * groups.num_groups


@pytest.mark.parametrize("merge", ["combine", "calibrated"])
def test_lists_of_heads_are_those_of_evaluate_and_come_from_heads(bench: Any, merge: Any) -> None:
    torch.manual_seed(0)
    config = PriorsConfig(backbone=SASRecConfig(dim=8, layers=1), start=0.5, merge=merge)
    backbone = SASRec(config.backbone, bench.groups.num_members)
    model = Priors(config, backbone, {"category": bench.groups}).eval()
    found = importlib.import_module("priors_measures").answers(model, bench.queries, bench.cuts)
    measured = evaluate(model, bench.queries, options_of(bench.cuts, True, (10,)))
    np.testing.assert_array_equal(found.lists, measured.lists)
    columns = bench.columns(found.lists)
    for metric in ("ndcg@10", "hr@10", "recall@10"):
        np.testing.assert_allclose(columns[metric], measured.per_user[metric])
    assert (np.diff(found.scores) <= 0).all()
    shown = bench.groups.membership[found.lists.ravel() - 1].mean(0)
    assert list(found.shares) == list(bench.groups.names)
    np.testing.assert_allclose(list(found.shares.values()), shown, 1e-5)


class Drawn:
    """Recommends by lot, each user something else."""

    def score(self, contexts: Contexts) -> torch.Tensor:
        """Normal scores."""
        rngs = map(np.random.default_rng, contexts.users)
        return torch.stack([torch.from_numpy(rng.normal(size=120)) for rng in rngs]).float()


def test_lists_ranked_again_reach_the_bits_they_are_asked_for(bench: Any) -> None:
    measures = importlib.import_module("priors_measures")
    longer = measures.answers(Drawn(), bench.queries, bench.cuts, 60)
    plain = longer.lists[:, :10]
    table, bits = bench.groups.membership, bench.entropy(plain).mean()
    np.testing.assert_array_equal(measures.diversified(longer, table, 0.0), plain)
    assert measures.weight_for(bench, longer, bits) == 0
    wanted = (bits + 2.8) / 2
    weight = measures.weight_for(bench, longer, wanted)
    again = measures.diversified(longer, table, weight)
    assert 0 <= bench.entropy(again).mean() - wanted < 0.02
    assert all(len(set(row)) == 10 and set(row) <= set(all_) for row, all_ in
               zip(again.tolist(), longer.lists.tolist(), strict=True))  # fmt: skip


def test_accuracy_within_a_category_counts_its_targets_alone(bench: Any) -> None:
    bounds, targets = bench.queries.target_offsets, bench.queries.target_items
    lists = targets.reshape(len(bounds) - 1, 10)
    assert bench.columns(lists)["ndcg@10"].min() == pytest.approx(1)
    of = bench.groups.membership.argmax(1)[lists - 1]
    ideal = np.cumsum(1 / np.log2(np.arange(2, 12)))
    for group in range(bench.groups.num_groups):
        inside = (of == group)[(of == group).any(1)]
        gained = (inside / np.log2(np.arange(2, 12))).sum(1)
        by_hand = gained / ideal[inside.sum(1) - 1]
        np.testing.assert_allclose(bench.within(lists, group), by_hand)
    shares = np.bincount(of.ravel()) / of.size
    np.testing.assert_allclose(list(bench.target_shares().values()), shares)


def test_the_category_that_loses_most_is_found(bench: Any) -> None:
    measures = importlib.import_module("priors_measures")
    best = bench.queries.target_items.reshape(len(bench.queries), 10)
    of = bench.groups.membership.argmax(1)[best - 1]
    worse = np.where(of == 3, 0, best).astype(np.int32)
    measures.FEWEST = 1
    table, worst = measures.worst_group(bench, {"a": [worse], "b": [best]}, "a", "b")
    assert worst == 3 and table["group 3"]["a"] == 0
    assert {row["users"] for row in table.values()} <= set(range(1, 61))
