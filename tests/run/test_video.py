"""From a table of runs to a plan and a page."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.embed.video_budget import VideoFitConfig
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import open_fit
from tastemaker.embed.video_plan import PlanRequest
from tastemaker.embed.video_points import VideoPoints
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.run import video
from tastemaker.run.video import fit_video, frontier_of, plan_video, plot_video
from tests.embed.surfaces import planted, sixty

QUICK = VideoFitConfig("add", 10, 10)


def write_runs(path: Path, points: VideoPoints, task: str = "") -> Path:
    names = ("parameters", "frames", "tokens", "examples")
    columns = dict(zip(names, points.factors.T, strict=True)) | {"score": 1 - points.error}
    frame = pl.DataFrame(columns)
    if task:
        half = (
            pl.when(pl.int_range(pl.len()) % 12 == 0).then(pl.lit("rare")).otherwise(pl.lit(task))
        )
        frame = frame.with_columns(task=half)
    frame.write_csv(path)
    return path


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fitted")
    runs = write_runs(folder / "runs.csv", sixty(planted()))
    with pytest.MonkeyPatch.context() as quicker:
        quicker.setattr(video, "_STARTS", 5)
        quicker.setattr(video, "_REFITS", 3)
        results = fit_video(runs, folder / "out" / "fit.json", QUICK, VideoCost())
    assert results["points"] == 60 and results["parameters"] == 9
    assert list(results["checks"]) == ["fitted", "cross-validated", "dearest fifth"]
    assert results["checks"]["fitted"]["percent"] < 3
    return Path(results["fit"])


def test_runs_are_fitted_planned_with_and_drawn(fitted: Path, tmp_path: Path) -> None:
    found = plan_video(fitted, PlanRequest(15e12, 1e6))
    assert found["form"] == "add" and found["best"]["flops"] <= 15e12
    assert found["data_sha256"] == open_fit(fitted).law.data_sha256
    json.dumps(found, allow_nan=False)
    drawn = plot_video(fitted, 1e6, tmp_path / "pages" / "page.html")
    page = Path(drawn["page"]).read_text()
    assert page.count("<svg") == 4 and "<script" not in page
    assert list(drawn["curves"]) == ["n = 250,000", "n = 1,000,000", "n = 4,000,000"]
    assert drawn["drawn_examples"] == [2.5e5, 1e6, 4e6]
    assert "4,000,000 examples lie outside" in page and "by a factor of 4." in page
    for curves in drawn["curves"].values():
        errors = np.array(curves["error"])
        assert (np.diff(errors[:, 1]) <= 1e-6).all()
        assert (errors[:, 2] <= errors[:, 1]).all() and (errors[:, 1] <= errors[:, 3]).all()
    best = [row["error"] for row in drawn["rows"]]
    assert best == sorted(best, reverse=True)


def test_another_grid_may_be_searched(fitted: Path, tmp_path: Path) -> None:
    grid = tmp_path / "grid.json"
    grid.write_text('{"parameters": [2e9], "frames": [6], "tokens": [50, 60]}')
    best = plan_video(fitted, PlanRequest(1e14, 1e6), grid)["best"]
    assert (best["parameters"], best["frames"], best["tokens"]) == (2e9, 6, 60)
    for bad in (
        "{}",
        '{"parameters": [2e9], "frames": 6, "tokens": [50]}',
        '{"parameters": ["x"], "frames": [6], "tokens": [50]}',
    ):
        grid.write_text(bad)
        with pytest.raises(BadInput):
            plan_video(fitted, PlanRequest(1e14, 1e6), grid)


def test_a_task_with_too_few_runs_is_left_out_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_STARTS", 5)
    monkeypatch.setattr(video, "_REFITS", 3)
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()), "order")
    results = fit_video(runs, tmp_path / "fit.json", QUICK, VideoCost())
    assert results["tasks"] == ["all tasks", "order"]
    apart, rare = results["notes"]
    assert "no run was measured on every task" in apart and "rare" in rare
    tasks = plan_video(tmp_path / "fit.json", PlanRequest(15e12, 1e6))["tasks"]["rows"]
    assert list(tasks) == ["order"]


def test_a_place_that_cannot_be_written_is_said_before_the_work(
    fitted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is read is never replaced by what is made of it."""
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()))
    table, fit = runs.read_bytes(), fitted.read_bytes()
    monkeypatch.setattr(video, "fit_law", None)
    monkeypatch.setattr(video, "frontier_of", None)
    (tmp_path / "link.csv").symlink_to(runs)
    for out in (tmp_path, runs, tmp_path / "link.csv", runs / "fit.json", runs / "a" / "fit.json"):
        with pytest.raises(BadInput, match="--out") as refused:
            fit_video(runs, out, QUICK, VideoCost())
        assert refused.value.where == str(out)
    for out in (tmp_path, fitted, fitted / "page.html"):
        with pytest.raises(BadInput, match="--out"):
            plot_video(fitted, 1e6, out)
    assert runs.read_bytes() == table and fitted.read_bytes() == fit
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.csv", "runs.csv"]


def test_too_few_runs_write_nothing(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()).of(np.arange(0, 60, 10)))
    with pytest.raises(BadInput, match="more run"):
        fit_video(runs, tmp_path / "fit.json", QUICK, VideoCost())
    assert not (tmp_path / "fit.json").exists()
    with pytest.raises(ArtefactError):
        plan_video(tmp_path / "fit.json", PlanRequest(15e12, 1e6))


def test_a_grid_that_is_none_is_refused_as_what_it_is(fitted: Path, tmp_path: Path) -> None:
    grid = tmp_path / "grid.json"
    huge = f'{{"parameters": [1{"0" * 400}], "frames": [4], "tokens": [4]}}'
    texts = ("", "[]", "parameters,frames\n", huge,
             '{"parameters": [1e400], "frames": [4], "tokens": [4]}',
             '{"parameters": [true], "frames": [4], "tokens": [4]}',
             '{"parameters": [1e9], "frames": [], "tokens": [4]}',
             '{"parameters": [1e9], "frames": [4], "tokens": [4], "examples": [1]}')  # fmt: skip
    for text in texts:
        grid.write_text(text)
        with pytest.raises(BadInput) as refused:
            plan_video(fitted, PlanRequest(1e14, 1e6), grid)
        assert refused.value.where in (str(grid), "--grid") and refused.value.exit_code == 2
        assert len(refused.value.what) < 600
    for path in (tmp_path / "none.json", Path("/dev/null")):
        with pytest.raises(BadInput):
            plan_video(fitted, PlanRequest(1e14, 1e6), path)


@pytest.mark.parametrize("examples", [1e-3, 1.0, 2.0])
def test_every_number_of_examples_has_a_curve_of_its_own(fitted: Path, examples: float) -> None:
    """In thousands or millions a quarter of one is no nothing."""
    drawn = frontier_of(open_fit(fitted), examples)
    told = [float(name.removeprefix("n = ").replace(",", "")) for name in drawn["curves"]]
    assert told == [examples / 4, examples, examples * 4]


def test_a_curve_is_never_worse_than_the_grid_that_it_lies_between(fitted: Path) -> None:
    drawn = frontier_of(open_fit(fitted), 1e6)
    curve = {row[0]: row[1] for row in drawn["curves"]["n = 1,000,000"]["error"]}
    for row in drawn["rows"]:
        assert curve[row["budget"]] <= row["error"] * (1 + 1e-4)
        assert row["flops"] <= row["budget"] * (1 + 1e-9)
        assert row["interval90"][0] <= row["error"] <= row["interval90"][1]


def only(points: VideoPoints, *kept: int) -> VideoPoints:
    """The same errors with but some factors that vary."""
    factors = points.factors.copy()
    for k in set(range(4)) - set(kept):
        factors[:, k] = factors[0, k]
    return VideoPoints(factors[:, :3], factors[:, 3], points.error)


@pytest.mark.parametrize("kept", [(3,)])
def test_runs_in_which_little_varied_are_fitted_planned_and_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: tuple[int, ...]
) -> None:
    monkeypatch.setattr(video, "_STARTS", 3)
    monkeypatch.setattr(video, "_REFITS", 2)
    runs = write_runs(tmp_path / "runs.csv", only(sixty(planted("add")), *kept))
    out = tmp_path / "fit.json"
    results = fit_video(runs, out, VideoFitConfig("add", 4, 3), VideoCost())
    assert "fitted" in results["checks"]
    unknown = [name for k, name in enumerate(("parameters", "frames", "tokens", "examples"))
               if k not in kept]  # fmt: skip
    found = plan_video(out, PlanRequest(1e15, 1e6))
    assert found["warnings"]["unknown"] == unknown
    json.dumps(found, allow_nan=False)
    drawn = plot_video(out, 1e6, tmp_path / "page.html")
    assert len(drawn["curves"]) == (3 if 3 in kept else 1)
    page = Path(drawn["page"]).read_text()
    assert "NaN" not in page and page.count("<svg") == 4


def test_a_fit_is_the_same_for_the_same_seed_and_replaces_what_stood_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_STARTS", 3)
    monkeypatch.setattr(video, "_REFITS", 2)
    runs, out, found = write_runs(tmp_path / "runs.csv", sixty(planted())), tmp_path / "f.json", []
    for seed in (3, 3, 4):
        fit_video(runs, out, VideoFitConfig("mult", 3, 2, seed=seed), VideoCost())
        found.append(out.read_bytes())
    assert found[0] == found[1] != found[2]
    before = out.read_bytes()
    runs.write_text("parameters,frames\n1,2\n")
    with pytest.raises(BadInput):
        fit_video(runs, out, QUICK, VideoCost())
    assert out.read_bytes() == before and list(tmp_path.iterdir()).count(out) == 1
    assert {path.name for path in tmp_path.iterdir()} == {"runs.csv", "f.json"}


def test_scores_at_the_end_are_noted_from_the_table_to_the_plan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(video, "_STARTS", 3)
    monkeypatch.setattr(video, "_REFITS", 2)
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()))
    frame = pl.read_csv(runs).with_columns(
        score=pl.when(pl.int_range(pl.len()) == 5).then(1.0).otherwise("score")
    )
    frame.write_csv(runs)
    results = fit_video(runs, tmp_path / "fit.json", VideoFitConfig("mult", 3, 2), VideoCost())
    (note,) = results["notes"]
    assert "1 error below" in note
    assert plan_video(tmp_path / "fit.json", PlanRequest(15e12, 1e6))["warnings"]["notes"] == [note]


@pytest.mark.parametrize(("refits", "many"), [(0, 1), (1, 1), (2, 0)])
def test_a_fit_without_refits_says_that_its_intervals_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refits: int, many: int
) -> None:
    monkeypatch.setattr(video, "_STARTS", 3)
    monkeypatch.setattr(video, "_REFITS", 2)
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()))
    results = fit_video(runs, tmp_path / "fit.json", VideoFitConfig("mult", 3, refits), VideoCost())
    assert ["fewer than 2 refits" in note for note in results["notes"]] == [True] * many
