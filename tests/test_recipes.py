"""What recipes share: verdicts in the words of the rule, and claims about any metric."""

import importlib
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.pairs import Pairs, co_engaged
from tastemaker.data.splits import split
from tastemaker.metrics.comparisons import Difference, Verdict
from tastemaker.recommend.item_to_item import CoVisited
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.train.config import FitConfig
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
