"""The recipes on video budgets: what they sweep, choose and draw, and that no run is made twice."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemaker import records
from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_forms import FORMS, Form, Layout
from tastemaker.embed.video_points import VideoPoints
from tastemaker.embed.video_runs import Cell, World, cells_of, open_world
from tests.embed.tiny_films import HELD, TINY, TRAIN

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file that recipes share."""
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return open_world(TINY, TRAIN, HELD, tmp_path_factory.mktemp("sweep"))


def test_the_sweep_is_of_forty_cells_and_ten_pairs_or_more(shared: Any) -> None:
    sizes = shared("video_budget_sweep")
    config, seeds = sizes.configs("small")
    runs = len(cells_of(config)) * config.seeds + 2 * len(sizes.PAIRS) * len(seeds)
    assert len(cells_of(config)) == 40 and runs == 70
    assert max(config.widths) <= 128 and max(config.examples) <= 8000
    toy, one = sizes.configs("toy")
    assert len(cells_of(toy)) == 12 and len(one) == 1


def test_in_a_star_one_factor_grows_at_a_time(shared: Any) -> None:
    sizes = shared("video_budget_sweep")
    config, _ = sizes.configs("small")
    rows = sizes.star(config)
    for name, row in rows.items():
        assert len({getattr(cell, name) for cell in row}) == len(row) >= 3
        others = {tuple(v for k, v in vars(cell).items() if k != name) for cell in row}
        assert len(others) == 1 and row == sorted(row, key=lambda cell: getattr(cell, name))
    every = {cell for row in rows.values() for cell in row}
    assert len(every) == sum(map(len, rows.values())) - 2
    assert len({sizes.called(cell) for cell in every}) == len(every)


def test_a_budget_buys_the_frontier_and_the_median(shared: Any, world: World) -> None:
    """Both are paid for, and by the law the frontier is no worse."""
    sizes = shared("video_budget_sweep")
    lines = [{"parameters": 5000.0, "width": 16}, {"parameters": 20000.0, "width": 32}]
    rng = np.random.default_rng(0)
    x = np.array([(p, t, v) for p in (5e3, 2e4) for t in (1, 2) for v in (1, 4)] * 2, float)
    n = np.repeat([8.0, 16.0], 8)
    error = 0.3 + (x / [5e3, 1, 1]) ** -0.5 @ [0.1, 0.1, 0.1] + 0.1 * (n / 8) ** -0.5
    points = VideoPoints(x, n, error * np.exp(0.001 * rng.normal(size=16)))
    law = fit_law(points, VideoFitConfig("add", 10, 5))
    chosen = sizes.choices(law, world, lines)
    assert list(chosen) == list(sizes.PAIRS)
    widths = {16: 5000.0, 32: 20000.0}
    spent = []
    for frontier, middle in chosen.values():
        both = np.array([[widths[c.width], c.frames, c.tokens] for c in (frontier, middle)], float)
        errors = law.predict(both, 16.0).error
        assert errors[0] <= errors[1] + 1e-12
        assert frontier.examples == middle.examples == max(TINY.examples)
        spent.append(world.cost.flops(both)[0])
    assert spent == sorted(spent)


def test_a_pair_that_was_trained_is_not_trained_again(
    shared: Any, world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, evidence = shared("video_budget"), shared("evidence")
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    found = evidence.Evidence("x", "paper", "data", "toy", [0], ["accuracy"])
    found.cache.mkdir(parents=True)
    cell = Cell(16, 1, 1, 8)
    first = recipe.trained(found, world, cell, 7)
    again = recipe.trained(found, world, cell, 7)
    assert np.array_equal(first, again) and len(first) == len(world.asked)
    assert set(first) <= {0.0, 1.0}
    lines = records.read(found.cache / "pairs.jsonl")
    assert len(lines) == 1 and lines[0]["score"] == pytest.approx(first.mean())
    recipe.trained(found, world, cell, 8)
    assert len(records.read(found.cache / "pairs.jsonl")) == 2


@pytest.mark.parametrize("form", FORMS)
def test_drawn_laws_are_of_their_form_and_of_plausible_errors(shared: Any, form: Form) -> None:
    recovery = shared("video_recovery")
    for seed in range(5):
        law = recovery.drawn(form, np.random.default_rng(seed))
        assert law.logs.shape == (1, len(Layout.of(form).terms))
        errors = law(recovery.GRID, 5e5)[0]
        assert np.isfinite(errors).all() and (errors > 0).all() and errors.max() < 10
    one, two = (recovery.drawn(form, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(one.logs, two.logs) and np.array_equal(one.powers, two.powers)


def test_sixty_runs_are_the_star_and_others_with_a_percent_of_noise(shared: Any) -> None:
    recovery = shared("video_recovery")
    law = recovery.drawn("add", np.random.default_rng(0))
    points = recovery.measured(law, np.random.default_rng(1))
    assert len(points) == 60 and points.cells >= 50
    noise = np.log(points.error / law(points.x, points.n)[0])
    assert 0.006 < noise.std() < 0.014


def test_a_law_that_is_known_exactly_is_not_regretted(shared: Any) -> None:
    recovery = shared("video_recovery")
    law = recovery.drawn("add", np.random.default_rng(0))
    x = recovery.GRID[np.random.default_rng(1).choice(105, 60, replace=False)]
    n = np.tile(recovery.SIZES, 20)
    exact = VideoPoints(x, n, law(x, n)[0])
    told = recovery.one(law, exact, "add", 0)
    assert told["regret %"] < 0.01 and told["off by %"] < 0.1


def test_the_bars_of_recovery_are_met() -> None:
    """Median regret at most 1 %, nine in ten at most 3 %, for each form fitted as itself."""
    path = RECIPES.parent / "results" / "video_recovery.json"
    tables = json.loads(path.read_text())["tables"]["regret in percent"]
    for form in FORMS:
        told = tables[f"{form}, fitted as {form}"]
        assert told["median"] <= 1 and told["p90"] <= 3
