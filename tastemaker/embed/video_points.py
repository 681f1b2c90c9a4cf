"""Measured runs: what was trained, on how much, and how good it was; from arrays or from a table.

A table has a row a run and the columns `parameters` (of the language model), `frames`, `tokens` (a
frame), `examples` (of fine-tuning) and `score` (a share of right answers) or `error`; `task` where
several were measured, and then `seed` where rows of one run are not told by their order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from tastemaker.counts import counted
from tastemaker.data.column_names import missing_column_fix
from tastemaker.data.header import doubled
from tastemaker.data.opening import open_table
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.embed.video_cost import MOST
from tastemaker.embed.video_forms import FACTORS, Floats
from tastemaker.errors import BadInput

LEAST = 1e-4
"""Error that smaller ones are taken for: the log of 0 is none."""
SMALLEST = 1000
"""Parameters of a language model in a table: fewer were counted in millions or billions."""
ALL = "all tasks"
"""What the mean over tasks is called."""
_ALSO: Mapping[str, tuple[str, ...]] = {
    "parameters": ("n_params", "params", "model_size", "x_n", "n_billion", "llm_size", "size", "n"),
    "frames": ("x_t", "num_frames", "n_frames", "frame_count", "t"),
    "tokens": ("x_v", "visual_tokens", "tokens_per_frame", "num_tokens", "v"),
    "examples": ("n", "num_examples", "samples", "train_examples", "data_size", "samples_seen"),
    "score": ("accuracy", "acc", "metric", "performance", "score_avg", "mean_score", "value"),
}


@dataclass(frozen=True, eq=False)
class VideoPoints:
    """m measured runs."""

    x: Floats
    """(m, 3) parameters of the language model, frames, tokens a frame"""
    n: Floats
    """(m,) fine-tuning examples"""
    error: Floats
    """(m,) 1 − score"""

    def __post_init__(self) -> None:
        """Refuse what is no measurement.

        Raises:
            BadInput: Naming the first value that is wrong.
        """
        sizes = {len(self.x), len(self.n), len(self.error)}
        if self.x.ndim != 2 or self.x.shape[1:] != (3,) or len(sizes) > 1:
            what = f"Arrays of {self.x.shape}, {self.n.shape} and {self.error.shape} are no runs."
            raise BadInput(what, "points", "Give (m, 3) configurations, (m,) examples and errors.")
        for name, values in (*zip(FACTORS, self.factors.T, strict=True), ("error", self.error)):
            bad = np.flatnonzero(~((values >= 1 / MOST) & (values <= MOST)))
            if len(bad):
                what = f"{name} = {values[bad[0]]} cannot be fitted."
                fix = f"Give numbers above 0, {MOST:g} at most."
                raise BadInput(what, f"point {bad[0] + 1}", fix)

    def __len__(self) -> int:
        return len(self.error)

    @property
    def factors(self) -> Floats:
        """(m, 4) N, T, V and n."""
        joined: Floats = np.column_stack([self.x, self.n])
        return joined

    @property
    def cells(self) -> int:
        """Different configurations and numbers of examples."""
        return len(np.unique(self.factors, axis=0))

    @property
    def sha256(self) -> str:
        """Of the numbers, in their order."""
        rows = np.ascontiguousarray(np.column_stack([self.factors, self.error]))
        return hashlib.sha256(rows.tobytes()).hexdigest()

    def of(self, rows: object) -> VideoPoints:
        """Some of them."""
        chosen = np.asarray(rows)
        return replace(self, x=self.x[chosen], n=self.n[chosen], error=self.error[chosen])


@dataclass(frozen=True, eq=False)
class Measured:
    """The runs of a table, by task."""

    tasks: Mapping[str, VideoPoints]
    """`all tasks` first, whose error is the mean over tasks, then each where several are named"""
    notes: tuple[str, ...]
    """what was changed in reading"""


def read_points(path: Path) -> Measured:
    """Runs of a table; any file that `open_table` reads.

    Raises:
        BadData: With every problem: columns under other names, values that are no measurement.
    """
    table = open_table(path)
    parts = [batch for batch in table.batches() if batch.height]
    frame = pl.concat(parts) if parts else pl.DataFrame(schema=table.schema)
    kind = "error" if "error" in frame.columns and "score" not in frame.columns else "score"
    missing = [name for name in (*FACTORS, kind) if name not in frame.columns]
    twice = doubled(table, [*FACTORS, kind, "task"])
    if missing or twice:
        raise BadData([*(_missing(path, name, frame.columns) for name in missing), *twice])
    numbers = frame.select(pl.col(name).cast(pl.Float64, strict=False) for name in (*FACTORS, kind))
    problems = [
        problem
        for name in (*FACTORS, kind)
        if (problem := _wrong(path, frame[name], numbers[name], kind)) is not None
    ]
    task = frame["task"].cast(pl.String) if "task" in frame.columns else pl.repeat(
        ALL, frame.height, eager=True
    )  # fmt: skip
    problems += _unnamed(path, task)
    if not frame.height:
        problems = [Problem(path.name, "", None, "", 0, "no runs", "Add a row for each run.")]
    if problems:
        raise BadData(problems)
    raw = numbers[kind] if kind == "error" else 1 - numbers[kind]
    low = int((raw < LEAST).sum())
    notes = (f"{counted(low, 'error')} below {LEAST:g}, taken for {LEAST:g}",) if low else ()
    seed = frame["seed"].cast(pl.String) if "seed" in frame.columns else pl.lit("")
    tidy = numbers.select(FACTORS).with_columns(
        error=raw.clip(LEAST), task=task.fill_null(ALL), seed=seed
    )
    tasks, partly = _by_task(tidy)
    return Measured(tasks, (*notes, *partly))


def _by_task(tidy: pl.DataFrame) -> tuple[dict[str, VideoPoints], list[str]]:
    """Runs by task, and what to know of those that were not measured on every one."""
    names = tidy["task"].unique(maintain_order=True).to_list()
    if len(names) == 1:
        return {ALL: _points(tidy)}, []
    same = [*FACTORS, "seed"]  # of one seed, or where none is told, a run each as they stand
    run = pl.int_range(pl.len()).over([*same, "task"])
    means = (
        tidy.with_columns(run=run)
        .group_by([*same, "run"], maintain_order=True)
        .agg(pl.col("error").mean(), tasks=pl.len())
    )
    whole = means.filter(pl.col("tasks") == len(names))
    each = {str(name): _points(tidy.filter(pl.col("task") == name)) for name in names}
    notes = []
    if not whole.height:
        notes.append("no run was measured on every task: each mean is over those that it was")
    elif left := means.height - whole.height:
        notes.append(f"{counted(left, 'run')} not measured on every task, left out of the mean")
    return {ALL: _points(whole if whole.height else means), **each}, notes


def _points(tidy: pl.DataFrame) -> VideoPoints:
    x, n, error = (tidy.select(names).to_numpy() for names in (FACTORS[:3], FACTORS[3], "error"))
    return VideoPoints(x, n[:, 0], error[:, 0])


def _unnamed(path: Path, task: pl.Series) -> list[Problem]:
    """Rows whose task is blank, or called as the mean is, among rows of other tasks."""
    bad = task.is_null() | (task == ALL)
    if bad.all() or not (rows := bad.arg_true()).len():
        return []
    first, fix = int(rows[0]), f"Name the task of every row, none of them {ALL!r}."
    return [Problem(path.name, "task", first + 1, shown(task[first]), len(rows), "no task", fix)]


def _missing(path: Path, name: str, columns: list[str]) -> Problem:
    other = {"parameters": "n", "examples": "N"}.get(
        name
    )  # letters of the paper, whose case counts
    columns = [column for column in columns if column != other]
    fix = missing_column_fix(name, columns, _ALSO.get(name, ()))
    return Problem(path.name, name, None, "", 1, "the column is missing", fix)


def _wrong(path: Path, raw: pl.Series, values: pl.Series, kind: str) -> Problem | None:
    """What is no measurement in a column."""
    name, good = values.name, values.is_finite().fill_null(False)
    if name == "score":
        good &= ((values >= 0) & (values <= 1)).fill_null(False)
        fix = "Give a share from 0 to 1; divide percent by 100."
    elif name == "error":
        good &= ((values >= 0) & (values <= MOST)).fill_null(False)
        fix = f"Give numbers of 0 or more, {MOST:g} at most."
    elif name == "parameters":
        good &= ((values >= SMALLEST) & (values <= MOST)).fill_null(False)
        fix = f"Give all parameters, {SMALLEST:,} or more: 2.8 billion are 2800000000."
    else:
        good &= ((values >= 1 / MOST) & (values <= MOST)).fill_null(False)
        fix = f"Give numbers above 0, {MOST:g} at most."
    bad = (~good).arg_true()
    if not len(bad):
        return None
    what = f"{'no ' + kind if name == kind else 'no size'}"
    first = int(bad[0])
    return Problem(path.name, name, first + 1, shown(raw[first]), len(bad), what, fix)
