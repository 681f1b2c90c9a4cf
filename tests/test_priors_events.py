"""The recipe on priors of events: what its measures count, and what its shuffling leaves alone."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.train.config import FitConfig

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture(scope="module")
def parts() -> Any:
    """Import a file of the recipe."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(RECIPES))
        for name in ("priors_world", "priors_trained", "priors_study", "figures"):
            importlib.import_module(name)
    return importlib.import_module


@pytest.fixture(scope="module")
def world(parts: Any) -> Any:
    """A small world."""
    return parts("priors_world").World.of(40, 60, 80)


@pytest.fixture(scope="module")
def heads(parts: Any, world: Any, tmp_path_factory: pytest.TempPathFactory) -> Priors:
    """Heads of kinds and categories after one epoch."""
    config = PriorsConfig(priors=("category", "event"), negatives=8, switch=1)
    arm, training = parts("priors_trained").Arm(20, 1, config), FitConfig(epochs=1, batch=8)
    model, _ = arm.trained(world, training, tmp_path_factory.mktemp("heads"))
    assert isinstance(model, Priors)
    return model


def test_targets_of_each_kind_are_those_of_the_log(world: Any) -> None:
    log, kinds = world.cuts.interactions, ("view", "like", "share")
    every = world.targets["ndcg@10"][0]
    assert every.sum() == len(world.tests.target_items)
    apart = [world.targets[f"ndcg@10 of {kind}s"][0] for kind in kinds]
    np.testing.assert_array_equal(np.sum(apart, 0), every)
    user = 3
    rows = slice(world.cuts.valid_end[user], log.offsets[user + 1])
    assert log.events is not None
    for kind, truth in zip(kinds, apart, strict=True):
        own = log.items[rows][log.events[rows] == log.event_names.index(kind)]
        assert set(np.flatnonzero(truth[user])) == set(own)


def test_accuracy_is_of_the_users_who_have_a_target(world: Any) -> None:
    rng = np.random.default_rng(0)
    lists = np.stack([rng.permutation(80)[:10] + 1 for _ in range(len(world.tests))])
    truth, users = world.targets["ndcg@10 of shares"]
    assert 0 < users.sum() < len(users)
    gains = 1 / np.log2(np.arange(2, 12))
    want = [
        sum(gain for gain, item in zip(gains, lists[user], strict=True) if truth[user, item])
        / gains[: truth[user].sum()].sum()
        for user in np.flatnonzero(users)
    ]
    np.testing.assert_allclose(world.accuracy(lists.astype(np.int32), "ndcg@10 of shares"), want)


def test_rare_are_the_groups_with_the_fewest_training_events(parts: Any, world: Any) -> None:
    categories, counts = world.groupings["category"], world.cuts.train_counts
    rare = parts("priors_world").rarest(categories, counts)
    groups = categories.membership.toarray().argmax(1)
    held = np.bincount(groups, counts)
    assert set(groups[rare]) == set(np.argsort(held)[:3])


def test_shuffling_keeps_sizes_and_histories(world: Any) -> None:
    groups, train = world.shuffled(0)
    true, dealt = (one["category"].membership for one in (world.groupings, groups))
    np.testing.assert_array_equal(true.sum(0), dealt.sum(0))
    assert (true != dealt).nnz
    before = world.cuts.train()
    np.testing.assert_array_equal(np.sort(before.events), np.sort(train.events))
    assert (before.events != train.events).any()
    np.testing.assert_array_equal(before.items, train.items)


def test_a_trained_model_keeps_the_merge_that_ranks_validation_best(
    parts: Any, world: Any, heads: Priors
) -> None:
    trained = parts("priors_trained")
    tried = trained.best_merge(heads, world)
    assert len(tried) == 6, "each of three merges with and without the switch"
    best = max(tried, key=tried.__getitem__)
    assert (heads.heads.config.merge, bool(heads.heads.config.switch)) == best
    assert heads.config.switch == 1, "what is learnt stays"
    validation = trained.Validation("ndcg@10", world.cuts, True)
    assert validation.measure(heads)["ndcg@10"] == pytest.approx(tried[best])


def test_heads_told_a_kind_answer_by_its_heads_alone(world: Any, heads: Priors) -> None:
    told = world.told(heads)
    assert not heads.config.prior_given_at_test
    assert {name: len(values) for name, values in told.items()} == {
        name: world.targets[name][1].sum() for name in told
    }


def test_measures_are_those_of_the_recipe(parts: Any, world: Any, heads: Priors) -> None:
    values = world.measures(heads)
    assert set(values) == set(parts("priors_world").METRICS)
    assert all(np.isfinite(one).all() for one in values.values())


def test_a_sweep_subtracts_the_backbone_at_every_size(
    parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts("evidence"), "ROOT", tmp_path)
    study = parts("priors_study").Study.of("toy", FitConfig(epochs=1, batch=8))
    arm = parts("priors_trained").Arm
    arms = {"BASE": arm(), "MTP": arm(heads=PriorsConfig(priors=(), negatives=8))}
    study.compare(arms, 0)
    grid = [(history, layers) for history in (5, 10) for layers in (1, 2)]
    study.sweep(arms, ("MTP",), grid, 0)
    found = study.grid.values
    for axis, word in ((0, "events"), (1, "layers")):
        for size in {cell[axis] for cell in grid}:
            cells = [cell for cell in grid if cell[axis] == size]
            names = [f"{events} events, {layers} layers" for events, layers in cells]
            gaps = [found[f"MTP, {one}"]["ndcg@10"][0] - found[f"BASE, {one}"]["ndcg@10"][0]
                    for one in names]  # fmt: skip
            want = np.mean(gaps, 0)
            np.testing.assert_allclose(found[f"gap, {size} {word}"]["ndcg@10"][0], want)
    assert [one["id"] for one in study.grid.relations] == ["R6", "R6"]
    assert [len(points) for points in study.grid.fronts.values()] == [2, 2]


def test_a_figure_of_other_axes_names_them(parts: Any) -> None:
    points = {"1 layers": [[50.0, 0.01], [200.0, 0.02]]}
    found = {"data": "x", "fronts": points, "axes": ["events of a history", "gain"]}
    picture = parts("figures").fronts(found)
    assert "events of a history and gain" in picture and "recall" not in picture
