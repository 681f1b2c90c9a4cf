"""Tables of runs in every form that a person may have them in, and every way of being wrong."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemaker.data.problems import BadData
from tastemaker.embed.video_points import ALL, LEAST, VideoPoints, read_points
from tastemaker.errors import BadInput

COLUMNS: dict[str, list[Any]] = {
    "parameters": [1e9, 2.8e9, 7.5e9],
    "frames": [4, 8, 16],
    "tokens": [16, 49, 100],
    "examples": [250_000, 500_000, 1_000_000],
    "score": [0.4, 0.5, 0.6],
}


def saved(folder: Path, frame: pl.DataFrame, ending: str) -> Path:
    path = folder / f"runs{ending}"
    if ending == ".parquet":
        frame.write_parquet(path)
    elif ending == ".tsv":
        frame.write_csv(path, separator="\t")
    elif ending == ".jsonl":
        frame.write_ndjson(path)
    elif ending == ".csv.gz":
        with gzip.open(path, "wb") as file:
            frame.write_csv(file)  # type: ignore[arg-type]
    else:
        frame.write_csv(path)
    return path


@pytest.mark.parametrize("ending", [".csv", ".tsv", ".csv.gz", ".jsonl", ".parquet"])
def test_a_table_is_the_same_in_every_form(tmp_path: Path, ending: str) -> None:
    points = read_points(saved(tmp_path, pl.DataFrame(COLUMNS), ending)).tasks[ALL]
    assert points.error == pytest.approx([0.6, 0.5, 0.4])
    assert points.x.tolist() == [[1e9, 4, 16], [2.8e9, 8, 49], [7.5e9, 16, 100]]
    assert points.n.tolist() == [250_000, 500_000, 1_000_000]


def test_columns_beside_and_their_order_make_no_difference(tmp_path: Path) -> None:
    frame = pl.DataFrame(COLUMNS)
    plain = read_points(saved(tmp_path, frame, ".csv")).tasks[ALL]
    other = frame.select(reversed(frame.columns)).with_columns(note=pl.lit("a"), seed=pl.lit(3))
    more = read_points(saved(tmp_path, other, ".csv")).tasks[ALL]
    assert more.sha256 == plain.sha256


@pytest.mark.parametrize(
    ("column", "other"),
    [
        ("parameters", "n_params"),
        ("parameters", "Model Size"),
        ("frames", "num_frames"),
        ("frames", "Frames"),
        ("tokens", "tokens_per_frame"),
        ("tokens", "visualTokens"),
        ("examples", "num_examples"),
        ("examples", "samples_seen"),
        ("score", "accuracy"),
        ("score", "mean_score"),
    ],
)
def test_the_likely_column_is_named(tmp_path: Path, column: str, other: str) -> None:
    path = saved(tmp_path, pl.DataFrame(COLUMNS).rename({column: other}), ".csv")
    with pytest.raises(BadData) as refused:
        read_points(path)
    (problem,) = refused.value.problems
    assert problem.column == column and repr(other) in problem.fix
    assert refused.value.exit_code == 2


def test_letters_of_the_paper_are_told_by_their_case(tmp_path: Path) -> None:
    """N is the size of the model, n the number of examples."""
    letters = {"parameters": "N", "frames": "T", "tokens": "V", "examples": "n"}
    path = saved(tmp_path, pl.DataFrame(COLUMNS).rename(letters), ".csv")
    with pytest.raises(BadData) as refused:
        read_points(path)
    for name, letter in letters.items():
        assert f"Rename column {letter!r} to {name!r}" in str(refused.value)


@pytest.mark.parametrize("unit", [1e9, 1e7])
def test_parameters_in_billions_are_refused_also_after_the_column_was_renamed(
    tmp_path: Path, unit: float
) -> None:
    """A model of 2.8 parameters would cost nothing, and the largest would always be best."""
    billions = {**COLUMNS, "parameters": [value / unit for value in COLUMNS["parameters"]]}
    for name in ("n_billion", "parameters"):
        path = saved(tmp_path, pl.DataFrame(billions).rename({"parameters": name}), ".csv")
        with pytest.raises(BadData) as refused:
            read_points(path)
        (problem,) = refused.value.problems
    assert (problem.column, problem.row, problem.count) == ("parameters", 1, 3)
    assert "2.8 billion are 2800000000" in problem.fix


def test_a_column_that_nothing_resembles_is_asked_for(tmp_path: Path) -> None:
    path = saved(tmp_path, pl.DataFrame(COLUMNS).rename({"frames": "zzz"}), ".csv")
    with pytest.raises(BadData) as refused:
        read_points(path)
    assert "zzz" in refused.value.problems[0].fix and "Add it" in refused.value.problems[0].fix


@pytest.mark.parametrize("name", list(COLUMNS))
@pytest.mark.parametrize("bad", ["", "abc", "NaN", "inf", "-1"])
def test_no_bad_value_of_any_column_passes(tmp_path: Path, name: str, bad: str) -> None:
    columns = {key: [str(value) for value in values] for key, values in COLUMNS.items()}
    columns[name][1] = bad
    with pytest.raises(BadData) as refused:
        read_points(saved(tmp_path, pl.DataFrame(columns), ".csv"))
    (problem,) = refused.value.problems
    assert (problem.column, problem.row, problem.count) == (name, 2, 1)
    told = json.dumps(refused.value.fields)
    assert name in told


def test_percent_is_refused_and_not_guessed(tmp_path: Path) -> None:
    frame = pl.DataFrame({**COLUMNS, "score": [40.0, 50.0, 60.0]})
    with pytest.raises(BadData) as refused:
        read_points(saved(tmp_path, frame, ".csv"))
    (problem,) = refused.value.problems
    assert problem.count == 3 and "percent" in problem.fix


def test_a_perfect_score_is_taken_for_nearly_perfect_and_said(tmp_path: Path) -> None:
    frame = pl.DataFrame({**COLUMNS, "score": [0.4, 1.0, 1.0]})
    read = read_points(saved(tmp_path, frame, ".csv"))
    assert read.tasks[ALL].error.tolist() == [0.6, LEAST, LEAST]
    assert read.notes == (f"2 errors below {LEAST:g}, taken for {LEAST:g}",)


def by_task(scores: dict[str, list[float]], **more: list[int]) -> pl.DataFrame:
    parts = [
        pl.DataFrame({**COLUMNS, "score": values, **more}).with_columns(task=pl.lit(name))
        for name, values in scores.items()
    ]
    return pl.concat(parts)


def test_tasks_are_averaged_run_by_run(tmp_path: Path) -> None:
    scores = {"a": [0.2, 0.4, 0.6], "b": [0.4, 0.6, 0.8], "c": [0.6, 0.8, 1.0]}
    tasks = read_points(saved(tmp_path, by_task(scores), ".csv")).tasks
    assert list(tasks) == [ALL, "a", "b", "c"]
    assert tasks[ALL].error == pytest.approx([0.6, 0.4, 0.2 + LEAST / 3], abs=1e-9)
    assert tasks["b"].error == pytest.approx([0.6, 0.4, 0.2])


def test_seeds_stay_runs_of_their_own(tmp_path: Path) -> None:
    first = by_task({"a": [0.2, 0.4, 0.6], "b": [0.4, 0.6, 0.8]})
    second = by_task({"a": [0.3, 0.5, 0.7], "b": [0.5, 0.7, 0.9]})
    whole = read_points(saved(tmp_path, pl.concat([first, second]), ".csv")).tasks[ALL]
    assert len(whole) == 6 and whole.cells == 3
    assert sorted(whole.error) == pytest.approx([0.2, 0.3, 0.4, 0.5, 0.6, 0.7])


def test_rows_of_one_seed_are_one_run_in_whatever_order_they_stand(tmp_path: Path) -> None:
    first = by_task({"a": [0.2, 0.4, 0.6], "b": [0.4, 0.6, 0.8]}, seed=[0, 0, 0])
    second = by_task({"a": [0.3, 0.5, 0.7], "b": [0.7, 0.9, 1.0]}, seed=[1, 1, 1])
    frame = pl.concat([first, second]).sort("task", "seed", descending=[False, True])
    mixed = pl.concat([frame.filter(task="a").sort("seed"), frame.filter(task="b")])
    whole = read_points(saved(tmp_path, mixed, ".csv")).tasks[ALL]
    assert sorted(whole.error) == pytest.approx([0.15 + 5e-5, 0.3, 0.3, 0.5, 0.5, 0.7], abs=1e-9)
    lacking = mixed.filter(~((pl.col("seed") == 0) & (pl.col("task") == "b")))
    read = read_points(saved(tmp_path, lacking, ".csv"))
    assert sorted(read.tasks[ALL].error) == pytest.approx([0.15 + 5e-5, 0.3, 0.5], abs=1e-9)
    assert read.notes[-1] == "3 runs not measured on every task, left out of the mean"


def test_of_runs_that_lack_a_task_the_others_are_averaged(tmp_path: Path) -> None:
    frame = by_task({"a": [0.2, 0.4, 0.6], "b": [0.4, 0.6, 0.8]})
    tasks = read_points(saved(tmp_path, frame.head(5), ".csv")).tasks
    assert len(tasks[ALL]) == 2 and len(tasks["a"]) == 3 and len(tasks["b"]) == 2


def test_one_task_needs_no_other_name(tmp_path: Path) -> None:
    tasks = read_points(saved(tmp_path, by_task({"only": [0.2, 0.4, 0.6]}), ".csv")).tasks
    assert list(tasks) == [ALL]


@pytest.mark.parametrize(
    ("x", "n", "error"),
    [
        (np.ones((2, 3)), np.ones(3), np.ones(2)),
        (np.ones((2, 2)), np.ones(2), np.ones(2)),
        (np.ones(3), np.ones(3), np.ones(3)),
        (np.zeros((2, 3)), np.ones(2), np.ones(2)),
        (np.ones((2, 3)), np.array([1, np.inf]), np.ones(2)),
    ],
)
def test_arrays_of_no_runs_are_refused(x: Any, n: Any, error: Any) -> None:
    with pytest.raises(BadInput):
        VideoPoints(x, n, error)
