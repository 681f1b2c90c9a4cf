"""Runs of a table: what is wrong with it is said, all at once."""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.data.problems import BadData
from tastemaker.embed.video_points import ALL, SMALLEST, VideoPoints, read_points
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
        ("parameters", [1e9, 1e300], 2),
        ("examples", [1e-300, 2.0], 1),
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


def refused(path: Path, text: str) -> BadData:
    path.write_text(text)
    with pytest.raises(BadData) as error:
        read_points(path)
    assert all(one.file and one.fix and one.what for one in error.value.problems)
    return error.value


HEADER = "parameters,frames,tokens,examples,score,task\n"


@pytest.mark.parametrize("text", ["", "\n\n", "parameters\n", " ", "\x00\x00"])
def test_a_file_of_nothing_is_refused(tmp_path: Path, text: str) -> None:
    refused(tmp_path / "runs.csv", text)


@pytest.mark.parametrize("name", ["frames", "score", "task", "examples"])
def test_a_column_that_stands_there_twice_is_refused(tmp_path: Path, name: str) -> None:
    """Either could be meant, and the first must not be taken in silence."""
    text = f"{name},{HEADER}9,1e9,4,16,100,0.5,a\n"
    (problem,) = refused(tmp_path / "runs.csv", text).problems
    assert problem.column == name


def test_a_twin_that_is_not_read_is_no_matter(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"note,note,{HEADER}x,y,1e9,4,16,100,0.5,a\n")
    assert len(read_points(path).tasks[ALL]) == 1


@pytest.mark.parametrize(
    ("tasks", "row"),
    [(["order", ALL], 2), ([ALL, "order"], 1), (["order", ""], 2), (["", "order", ""], 1)],
)
def test_no_task_may_take_the_place_of_the_mean(tmp_path: Path, tasks: list[str], row: int) -> None:
    """A blank one, or one that is called like the mean, hid the mean over tasks."""
    rows = "".join(f"1e9,4,16,100,0.5,{task}\n" for task in tasks)
    (problem,) = refused(tmp_path / "runs.csv", HEADER + rows).problems
    wanted = tasks.count("") + tasks.count(ALL)
    assert (problem.column, problem.row, problem.count) == ("task", row, wanted)


@pytest.mark.parametrize("task", ["", ALL, "order"])
def test_a_table_of_one_task_is_its_mean(tmp_path: Path, task: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(f"{HEADER}1e9,4,16,100,0.5,{task}\n1e9,8,16,100,0.75,{task}\n")
    measured = read_points(path)
    assert list(measured.tasks) == [ALL] and measured.tasks[ALL].error.tolist() == [0.5, 0.25]


def test_seeds_stay_runs_of_their_own_and_a_run_without_a_task_is_not_in_the_mean(
    tmp_path: Path,
) -> None:
    """Two seeds of one cell, each on two tasks; a third was not measured on the second task."""
    rows = [(4, 0.2, "a"), (4, 0.4, "a"), (4, 0.6, "b"), (4, 0.8, "b"), (8, 0.9, "a")]
    lines = "".join(f"1e9,{frames},16,100,{score},{task}\n" for frames, score, task in rows)
    path = tmp_path / "runs.csv"
    path.write_text(HEADER + lines)
    measured = read_points(path)
    tasks = measured.tasks
    assert measured.notes == ("1 run not measured on every task, left out of the mean",)
    assert tasks[ALL].error == pytest.approx([0.6, 0.4]) and tasks[ALL].cells == 1
    assert len(tasks["a"]) == 3 and len(tasks["b"]) == 2


def test_the_order_of_rows_and_columns_makes_no_difference_to_the_mean(tmp_path: Path) -> None:
    lines = [f"1e9,{frames},16,100,{score},{task}"
             for frames, score in ((4, 0.25), (8, 0.5)) for task in "ab"]  # fmt: skip
    found = []
    for number, order in enumerate((lines, lines[::-1])):
        path = tmp_path / f"{number}.csv"
        path.write_text(HEADER + "\n".join(order) + "\n")
        tasks = read_points(path).tasks
        found.append(sorted(zip(tasks[ALL].x[:, 1], tasks[ALL].error, strict=True)))
    assert found[0] == found[1] == [(4.0, 0.75), (8.0, 0.5)]


@pytest.mark.parametrize(
    ("given", "wanted"), [(0.0, 1.0), (1.0, 1e-4), (0.99995, 1e-4), (0.5, 0.5)]
)
def test_scores_at_the_ends_are_kept_from_the_log_of_nothing(
    tmp_path: Path, given: float, wanted: float
) -> None:
    measured = read_points(written(tmp_path, score=[given, 0.5]))
    assert measured.tasks[ALL].error[0] == pytest.approx(wanted)
    assert len(measured.notes) == (given > 0.9999)
    if measured.notes:
        assert measured.notes[0].startswith("1 error below")


@pytest.mark.parametrize("value", ["50%", "1,5", "true", "-0", "1e999", "nan", "-inf", "0x1"])
def test_words_and_odd_numbers_are_no_scores(tmp_path: Path, value: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(
        f'parameters,frames,tokens,examples,score\n1e9,2,3,4,0.5\n1e9,2,3,4,"{value}"\n'
    )
    if value == "-0":
        assert read_points(path).tasks[ALL].error.tolist() == [0.5, 1.0]
        return
    (problem,) = refused(path, path.read_text()).problems
    assert problem.row == 2 and value in problem.value


def test_other_files_than_csv_are_read_the_same(tmp_path: Path) -> None:
    frame = pl.DataFrame(GOOD)
    frame.write_csv(tmp_path / "a.csv")
    frame.write_parquet(tmp_path / "a.parquet")
    frame.write_ndjson(tmp_path / "a.jsonl")
    hashes = {read_points(tmp_path / f"a.{kind}").tasks[ALL].sha256
              for kind in ("csv", "parquet", "jsonl")}  # fmt: skip
    assert len(hashes) == 1


def test_a_score_stands_before_an_error(tmp_path: Path) -> None:
    path = written(tmp_path, error=[0.9, 0.9])
    assert read_points(path).tasks[ALL].error.tolist() == [0.75, 0.5]
    neither = problems(written(tmp_path, score=None))
    assert neither == [("score", None, 1)]


model, cell = st.floats(SMALLEST, 1e12), st.floats(1e-6, 1e12)


@given(st.lists(st.tuples(model, cell, cell, cell, st.floats(0, 0.999)), min_size=1, max_size=8))
@settings(max_examples=20, deadline=None)
def test_what_is_written_is_what_is_read(rows: list[tuple[float, ...]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        pl.DataFrame(rows, schema=list(GOOD), orient="row").write_csv(path)
        points = read_points(path).tasks[ALL]
    given_rows = np.array(rows)
    assert np.array_equal(points.factors, given_rows[:, :4])
    assert points.error == pytest.approx(np.maximum(1 - given_rows[:, 4], 1e-4), rel=1e-12)
    assert points.cells == len({tuple(row[:4]) for row in rows})


def test_tasks_that_share_no_run_are_said(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_text(HEADER + "1e9,4,16,100,0.5,a\n1e9,8,16,100,0.5,b\n")
    (note,) = read_points(path).notes
    assert "no run was measured on every task" in note
