"""The recipes on video budgets: what they sweep, choose and draw, and that no run is made twice."""

import importlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemaker import records
from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit, axes_of
from tastemaker.embed.video_forms import FACTORS, FORMS, Form, Layout
from tastemaker.embed.video_points import VideoPoints
from tastemaker.embed.video_runs import Cell, World, cells_of, open_world
from tastemaker.worlds.clips import KINDS, Asked
from tests.embed.surfaces import planted, sixty
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
    assert len(every) == sum(map(len, rows.values())) - 2 and every <= set(cells_of(config))
    assert len({sizes.called(cell) for cell in every}) == len(every)


def test_a_budget_buys_the_frontier_and_two_others(shared: Any, world: World) -> None:
    """All are paid for, by the law the frontier is no worse, and the naive model is the largest."""
    sizes = shared("video_budget_sweep")
    lines = [
        {"parameters": 5016.0, "width": 16, "tokens": 1},
        {"parameters": 20128.0, "width": 32, "tokens": 4},
    ]
    rng = np.random.default_rng(0)
    x = np.array([(p, t, v) for p in (5e3, 2e4) for t in (1, 2) for v in (1, 4)] * 2, float)
    n = np.repeat([8.0, 16.0], 8)
    error = 0.3 + (x / [5e3, 1, 1]) ** -0.5 @ [0.1, 0.1, 0.1] + 0.1 * (n / 8) ** -0.5
    points = VideoPoints(x, n, error * np.exp(0.001 * rng.normal(size=16)))
    law = fit_law(points, VideoFitConfig("add", 10, 5))
    chosen = sizes.choices(VideoFit({"all": law}, world.cost, axes_of(points), {}), lines)
    assert list(chosen) == list(sizes.PAIRS)
    widths = {16: 5000.0, 32: 20000.0}
    spent = []
    for arms in chosen.values():
        assert list(arms) == ["frontier", "naive", "median"]
        cells = list(arms.values())
        x = np.array([[widths[cell.width], cell.frames, cell.tokens] for cell in cells], float)
        errors = law.predict(x, 16.0).error
        assert errors[0] <= errors[1:].min() + 1e-12
        assert x[1, 0] == x[:, 0].max()
        assert {cell.examples for cell in cells} == {max(TINY.examples)}
        spent.append(world.cost.flops(x)[0])
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


@pytest.fixture
def found(shared: Any) -> Any:
    claims = shared("video_budget_claims")
    measures = [claims.SCORE, claims.GAIN, claims.OFF, claims.MOVES]
    return shared("evidence").Evidence("x", "paper", "data", "toy", [0, 1, 2], measures)


def stated(found: Any) -> dict[str, str]:
    """Claim → verdict; each difference is that of its arms and inside its interval."""
    for one in found.relations:
        a, b = (
            np.mean([seed.mean() for seed in found.values[one[side]][one["metric"]]])
            for side in "ab"
        )
        assert a - b == pytest.approx(one["difference"], abs=1e-9)
        assert one["ci95"][0] <= one["difference"] <= one["ci95"][1]
    return {one["claim"]: one["verdict"] for one in found.relations}


def test_what_factors_add_is_said_by_question(shared: Any, found: Any) -> None:
    """Questions of time are answered with frames, those of detail with tokens, all too rarely."""
    sizes, claims = shared("video_budget_sweep"), shared("video_budget_claims")
    star = sizes.star(sizes.configs("small")[0])
    asked = [Asked(0, KINDS[k % 4], "", "") for k in range(2000)]
    time, rng = np.array([one.kind in ("how many", "direction") for one in asked]), found.seeds
    for cell in dict.fromkeys(cell for row in star.values() for cell in row):
        frames, tokens = np.log2(cell.frames) / 3, np.log2(cell.tokens) / 4
        chance = 0.2 + 0.5 * np.where(time, np.sqrt(frames), np.sqrt(tokens))
        chance = chance + (cell.width - 128) / 1000
        for seed in rng:
            drawn = np.random.default_rng([seed, cell.frames, cell.tokens, cell.width]).random(2000)
            found.add(sizes.called(cell), {claims.SCORE: (drawn < chance).astype(float)})
    claims.factors(found, star)
    claims.wishes(found, star, asked)
    told = stated(found)
    assert told["frames 8 answers more than 1"] == told["tokens 16 answers more than 1"] == "holds"
    assert told["frames 1 → 2 adds more than frames 4 → 8"] == "holds"
    assert told["questions of time gain more from frames than from tokens"] == "holds"
    assert told["questions of detail gain more from tokens than from frames"] == "holds"
    table = found.tables["gain a doubling, by question"]
    assert list(table) == list(KINDS)
    assert table["direction"]["frames"] == pytest.approx(0.5 / 3, abs=0.03)
    assert table["direction"]["tokens"] == pytest.approx(0, abs=0.03)


def test_forms_are_told_apart_by_cells_that_they_have_not_seen(
    shared: Any, found: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes, claims = shared("video_budget_sweep"), shared("video_budget_claims")
    quick = VideoFitConfig(starts=8, refits=3)
    monkeypatch.setattr(sizes, "QUICK", quick)
    monkeypatch.setattr(claims, "QUICK", quick)
    truth = planted("add", alpha_frames=-1.5)
    every = sixty(truth, noise=0.002)
    assert sizes.best_form(every) != "mult"
    assert sizes.best_form(every.of(np.arange(5))) == "mult"
    claims.forms(found, every)
    told = stated(found)
    assert told["mult is further off than add"] == "holds"
    table = found.tables["cells held out"]
    assert set(table) == set(FORMS) and table["add"]["percent"] < table["mult"]["percent"]
    new, known = [2e9, 6.0, 50.0, 4e5], every.factors[0].tolist()
    error = float(truth(np.array([new[:3]]), 4e5)[0, 0])
    right = {"width": 0, "scores": {"a": 1 - error, "b": 1 - error}}
    lines = [dict(zip(FACTORS, cell, strict=True)) | right for cell in (new, known)]
    claims.beyond(found, every, lines)
    table = found.tables["cells that the sweep has not"]
    assert table["add"]["cells"] == 1 and table["add"]["percent"] < 3
    claims.beyond(found, every, lines[1:])


def test_sizes_move_with_data_as_the_law_has_it(shared: Any, found: Any) -> None:
    """A cost of many tokens that data make good: with more data the best has more of them."""
    claims = shared("video_budget_claims")
    points = sixty(planted("add-interact", beta_tokens=-2.0, b_tokens=0.4), noise=0.001)
    law = fit_law(points, VideoFitConfig("add-interact", 30, 10))
    fit = VideoFit({"all": law}, VideoCost(), axes_of(points), {})
    claims.moves(found, points, fit)
    told = stated(found)
    assert told["with more data the best has more tokens"] == "holds"
    claims.frontiers(found, fit)
    rows = found.tables["what the law chooses"]
    assert len(rows) == 9 and all(row["least"] <= row["error"] for row in rows.values())
    assert len(found.curves) == 3
    pictures = shared("render").curves({"curves": found.curves})
    assert list(pictures) == ["error", *FACTORS[:3]]
    assert all(picture.startswith("<svg") for picture in pictures.values())
    assert shared("render").curves({}) == {}


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
