"""Runs of a table: what is wrong with it is said, all at once."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.problems import BadData
from tastemaker.embed.video_points import ALL, VideoPoints, read_points
from tastemaker.errors import BadInput

GOOD = {
    "parameters": [1e9, 2e9],
    "frames": [4, 8],
    "tokens": [16, 49],
    "examples": [1000, 2000],
    "score": [0.25, 0.5],
}


def written(tmp_path: Path, **changed: list[object] | None) -> Path:
    columns = {name: values for name, values in {**GOOD, **changed}.items() if values is not None}
    path = tmp_path / "runs.csv"
    pl.DataFrame(columns).write_csv(path)
    return path


def problems(path: Path) -> list[tuple[str, int | None, int]]:
    with pytest.raises(BadData) as refused:
        read_points(path)
    return [(one.column, one.row, one.count) for one in refused.value.problems]


def test_scores_are_turned_into_errors(tmp_path: Path) -> None:
    measured = read_points(written(tmp_path))
    points = measured.tasks[ALL]
    assert list(measured.tasks) == [ALL] and measured.notes == ()
    assert points.error.tolist() == [0.75, 0.5] and points.x[1].tolist() == [2e9, 8, 49]
    losses = read_points(written(tmp_path, score=None, error=[2.5, 0.0]))
    assert losses.tasks[ALL].error.tolist() == [2.5, 1e-4] and len(losses.notes) == 1


@pytest.mark.parametrize(
    ("name", "values", "row"),
    [
        ("score", [0.5, -0.1], 2),
        ("score", ["0.5", "NaN"], 2),
        ("score", [71.0, 0.5], 1),
        ("score", ["much", "0.5"], 1),
        ("score", [None, 0.5], 1),
        ("frames", [0, 4], 1),
        ("parameters", [1e9, -1.0], 2),
        ("examples", ["inf", "2"], 1),
        ("tokens", [None, 4], 1),
    ],
)
def test_what_is_no_measurement_is_named(
    tmp_path: Path, name: str, values: list[object], row: int
) -> None:
    assert problems(written(tmp_path, **{name: values})) == [(name, row, 1)]


def test_all_of_it_is_said_at_once(tmp_path: Path) -> None:
    path = written(tmp_path, score=[-1.0, 2.0], frames=[0, -1])
    assert problems(path) == [("frames", 1, 2), ("score", 1, 2)]


def test_columns_of_other_names_are_named(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    renamed = {"n_billion": [1.0], "T": [4], "visual_tokens": [16], "samples": [5], "acc": [0.5]}
    pl.DataFrame(renamed).write_csv(path)
    with pytest.raises(BadData) as refused:
        read_points(path)
    fixes = {one.column: one.fix for one in refused.value.problems}
    wanted = zip(("parameters", "frames", "tokens", "examples", "score"), renamed, strict=True)
    for name, other in wanted:
        assert repr(other) in fixes[name] and repr(name) in fixes[name]


def test_a_table_without_runs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text("parameters,frames,tokens,examples,score\n")
    with pytest.raises(BadData):
        read_points(path)


def test_the_mean_over_tasks_stands_first(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    rows = {name: values * 2 for name, values in GOOD.items()}
    rows["score"], rows["task"] = [0.25, 0.5, 0.75, 0.75], ["what"] * 2 + ["order"] * 2
    pl.DataFrame(rows).write_csv(path)
    tasks = read_points(path).tasks
    assert list(tasks) == [ALL, "what", "order"]
    assert tasks[ALL].error.tolist() == [0.5, 0.375] and tasks["order"].error.tolist() == [0.25] * 2


def test_arrays_that_fit_nothing_are_refused() -> None:
    x, n = np.ones((3, 3)), np.ones(3)
    for bad in (np.array([0.5, np.nan, 0.5]), np.array([0.5, 0.5, -0.1]), np.ones(2)):
        with pytest.raises(BadInput):
            VideoPoints(x, n, bad)


def test_the_hash_is_of_the_numbers_and_cells_are_counted() -> None:
    points = VideoPoints(np.ones((3, 3)), np.array([1.0, 1.0, 2.0]), np.full(3, 0.5))
    assert points.cells == 2 and len(points.of([0, 2])) == 2
    assert points.sha256 != points.of([0, 2]).sha256
    assert points.sha256 == points.of([0, 1, 2]).sha256
