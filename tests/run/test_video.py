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
from tastemaker.run.video import fit_video, plan_video, plot_video
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


@pytest.fixture
def fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(video, "_STARTS", 5)
    monkeypatch.setattr(video, "_REFITS", 3)
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()))
    results = fit_video(runs, tmp_path / "out" / "fit.json", QUICK, VideoCost())
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
    assert results["tasks"] == ["all tasks", "order"] and "rare" in results["notes"][0]
    tasks = plan_video(tmp_path / "fit.json", PlanRequest(15e12, 1e6))["tasks"]["rows"]
    assert list(tasks) == ["order"]


def test_too_few_runs_write_nothing(tmp_path: Path) -> None:
    runs = write_runs(tmp_path / "runs.csv", sixty(planted()).of(np.arange(0, 60, 10)))
    with pytest.raises(BadInput, match="more run"):
        fit_video(runs, tmp_path / "fit.json", QUICK, VideoCost())
    assert not (tmp_path / "fit.json").exists()
    with pytest.raises(ArtefactError):
        plan_video(tmp_path / "fit.json", PlanRequest(15e12, 1e6))
