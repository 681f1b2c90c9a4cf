"""Known laws are found again, published points are fitted as they were, and bad data is refused."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.embed.video_budget import VideoFitConfig, VideoLaw, fit_law
from tastemaker.embed.video_checks import agreement, held_out
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_designs import SIZES, isoflop, star
from tastemaker.embed.video_forms import Floats, Form
from tastemaker.embed.video_points import VideoPoints
from tastemaker.errors import BadInput
from tests.embed.surfaces import GRID, measured, planted, sixty

COST = VideoCost()
QUICK = VideoFitConfig(starts=30, refits=20)
ISO = np.concatenate([isoflop(budget, GRID, COST) for budget in (5e12, 15e12, 30e12)])


def quick(form: Form = "add-interact", seed: int = 0) -> VideoFitConfig:
    return VideoFitConfig(form, 30, 20, seed=seed)


def scaling(name: str) -> Path:
    path = Path(os.environ.get("TASTEMAKER_DATA", "../shared/data")) / "video-scaling" / name
    if not path.is_file():
        pytest.skip(f"{path.parent.name} is not among the data of TASTEMAKER_DATA")
    return path


def regret(law: VideoLaw, seed: int) -> float:
    """Mean over budgets and n of how far the choices are above the least error there is."""
    truth, lost = planted(), []
    for n in SIZES:
        errors, spent = truth(GRID, n)[0], COST.flops(GRID)
        for budget in np.geomspace(3e12, 1e14, 12):
            (one,) = law.frontier(np.array([budget]), n, GRID, COST)
            lost.append(errors[one.place] / errors[spent <= budget].min() - 1)
    return float(np.mean(lost))


def test_a_known_law_is_found_again_from_sixty_noisy_runs() -> None:
    lost = [regret(fit_law(sixty(planted(), seed), quick(seed=seed)), seed) for seed in range(8)]
    assert np.median(lost) <= 0.01 and np.quantile(lost, 0.9) <= 0.03


def test_runs_of_equal_cost_are_predicted_from_the_star() -> None:
    """Medians over seeds: E% below 2, and no worse with the interactions than as a product."""
    truth, gaps = planted(), {}
    x, n = star((7.5e9, 32, 196), GRID, SIZES)
    for form in ("mult", "add-interact"):
        percent = []
        for seed in range(5):
            law = fit_law(measured(truth, x, n, 0.01, seed), quick(form, seed))
            percent.append(agreement(law.predict(ISO, 2e6).error, truth(ISO, 2e6)[0]).percent)
        gaps[form] = float(np.median(percent))
    assert gaps["add-interact"] < 2
    assert gaps["add-interact"] < gaps["mult"]


@pytest.mark.slow
def test_the_interval_covers_the_truth_inside_the_data() -> None:
    truth, inside = planted("add"), []
    for seed in range(50):
        points = sixty(truth, seed)
        found = fit_law(points, VideoFitConfig("add", 6, 20, seed=seed)).predict(points.x, points.n)
        right = truth(points.x, points.n)[0]
        inside.append(np.mean((found.low <= right) & (right <= found.high)))
    assert np.mean(inside) >= 0.7


def test_the_same_seed_gives_the_same_fit() -> None:
    points = sixty(planted())
    first, again, other = (fit_law(points, quick(seed=seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.values, again.values)
    assert not np.array_equal(first.values, other.values)
    assert first.data_sha256 == points.sha256 and first.points == 60


def test_units_make_no_difference() -> None:
    points, units = sixty(planted()), np.array([1e-9, 1 / 8, 1 / 49])
    scaled = VideoPoints(points.x * units, points.n * 1e-6, points.error)
    plain, other = fit_law(points, quick()), fit_law(scaled, quick())
    assert other.predict(GRID * units, 1.0).error == pytest.approx(
        plain.predict(GRID, 1e6).error, rel=1e-6
    )


@pytest.mark.parametrize(
    ("column", "size", "tokens", "r2", "percent"),
    [("score_avg", 0.0713, 0.0154, 0.99, 0.55), ("score_ocr", 0.0284, 0.0397, 0.95, 1.34)],
)
def test_the_published_points_are_fitted_as_they_were(
    column: str, size: float, tokens: float, r2: float, percent: float
) -> None:
    found = published(column)
    points, law = found, fit_law(found, VideoFitConfig("mult", 30, 100))
    logs = np.log(law.predict(points.x, 1.0).error)
    assert law.exponents()["a_parameters"] == pytest.approx(size, abs=1e-3)
    assert law.exponents()["a_tokens"] == pytest.approx(tokens, abs=1e-3)
    assert agreement(logs, np.log(points.error)).r2 >= r2
    assert agreement(np.exp(logs), points.error).percent == pytest.approx(percent, abs=0.05)
    wide = held_out(points, points.x[:, 0] == 7e9, VideoFitConfig("mult", 30, 20))
    assert wide.percent < 1.4


def test_size_counts_more_on_average_and_tokens_more_for_reading() -> None:
    ends = {}
    for column in ("score_avg", "score_ocr"):
        law = fit_law(published(column), VideoFitConfig("mult", 30, 100))
        places = [law.layout.names.index(name) for name in ("a_parameters", "a_tokens")]
        ends[column] = np.quantile(law.values[1:, places], [0.025, 0.975], axis=0)
    average, reading = ends["score_avg"], ends["score_ocr"]
    assert average[0, 0] > average[1, 1] and reading[0, 1] > reading[1, 0]


def published(column: str) -> VideoPoints:
    rows = pl.read_csv(scaling("locuslab_one_visual_token.csv"), comment_prefix="#")
    rows = rows.drop_nulls(column)
    x = np.column_stack([rows["n_billion"] * 1e9, np.ones(len(rows)), rows["visual_tokens"]])
    return VideoPoints(x, np.ones(len(rows)), 1 - rows[column].to_numpy())


def test_the_end_of_published_runs_is_predicted_from_their_beginning() -> None:
    rows = pl.read_csv(scaling("fvlm_all_eval_points.csv"))
    gaps, points = [], 0
    for (_run,), run in rows.group_by(["run_id"], maintain_order=True):
        run = run.sort("samples_seen")
        n, loss = run["samples_seen"].to_numpy().astype(float), run["val_loss"].to_numpy()
        points += len(run)
        if len(run) < 10:
            continue  # too short for a fifth of it to be a curve
        held = np.arange(len(run)) >= 0.8 * len(run)
        curve = VideoPoints(np.ones((len(run), 3)), n, loss)
        gaps.append(held_out(curve, held, VideoFitConfig("add", 20, 10)).percent)
    assert points == 1002 and len(gaps) >= 20
    assert np.median(gaps) < 1 and max(gaps) < 3


def test_too_few_runs_say_how_many_more() -> None:
    points = sixty(planted()).of(np.arange(0, 39, 3))
    with pytest.raises(BadInput, match="2 more runs") as refused:
        fit_law(points, quick())
    assert "add-interact" in refused.value.what and "mult" in refused.value.fix
    doubled = points.of(np.repeat(np.arange(13), 2))
    with pytest.raises(BadInput, match="2 more runs"):
        fit_law(doubled, quick())


def test_runs_that_are_all_alike_are_refused() -> None:
    x = np.tile([1e9, 8.0, 49.0], (20, 1))
    with pytest.raises(BadInput, match="No factor varies"):
        fit_law(VideoPoints(x, np.full(20, 1e6), np.linspace(0.3, 0.4, 20)), quick())


@pytest.mark.parametrize(
    ("name", "value"), [("starts", 0), ("starts", 10**6), ("refits", -1), ("seed", -1)]
)
def test_options_that_fit_nothing_are_refused(name: str, value: int) -> None:
    with pytest.raises(BadInput) as refused:
        VideoFitConfig(**{name: value})
    assert refused.value.where == f"--{name}"


@pytest.mark.parametrize(("name", "value"), [("form", "additive"), ("loss", "l1")])
def test_a_word_that_is_not_known_is_not_taken_for_another(name: str, value: str) -> None:
    with pytest.raises(BadInput, match="is not known") as refused:
        VideoFitConfig(**{name: value})  # type: ignore[arg-type]
    assert refused.value.where == f"--{name}" and " or " in refused.value.fix


def test_nothing_is_predicted_of_what_is_no_configuration() -> None:
    law = fit_law(sixty(planted("add")), VideoFitConfig("add", 5, 2))
    for x, n in ((GRID[0], 1e6), (GRID[:0], 1e6), (GRID[:, :2], 1e6), (GRID * 0, 1e6),
                 (GRID, 0.0), (GRID, -1.0), (GRID, np.nan), (GRID * np.nan, 1e6)):  # fmt: skip
        with pytest.raises(BadInput) as refused:
            law.predict(x, n)
        assert refused.value.where == "configurations"
        with pytest.raises(BadInput):
            law.frontier(np.array([1e15]), float(n), x, COST)


def test_what_lies_outside_the_data_is_said_with_the_factor() -> None:
    law = fit_law(sixty(planted()), quick())
    assert law.beyond(GRID[0], 1e6) == {}
    outside = law.beyond(np.array([15e9, 2.0, 196.0]), 4e6)
    assert outside == pytest.approx({"parameters": 2.0, "frames": 2.0, "examples": 4.0})


def tells(law: VideoLaw, x: Sequence[float]) -> Floats:
    return law.predict(np.array([x]), 1e6).error


def test_without_refits_the_one_fit_answers() -> None:
    law = fit_law(sixty(planted()), VideoFitConfig("add", 20, 0, "huber"))
    found = law.predict(GRID, 1e6)
    assert np.array_equal(found.low, found.high) and np.array_equal(found.error, found.low)
    assert tells(law, GRID[0]) > tells(law, GRID[-1])


def test_how_the_best_moves_is_asked_of_the_law() -> None:
    law = fit_law(sixty(planted()), quick())
    moved = law.elasticities(np.array([15e12, 3e13]), np.array([5e5]), GRID, COST)
    assert moved.shape == (20, 3) and np.isfinite(moved).all()
