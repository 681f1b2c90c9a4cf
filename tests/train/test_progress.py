"""How far a training has come, and what no training can say of itself."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from tastemaker.errors import ArtefactError
from tastemaker.train.progress import Progress

HELD = asdict(Progress(7, 2, 1, 3.5, 9, [0.1, 0.4]))


def test_progress_knows_its_best() -> None:
    assert Progress().best == float("-inf")
    assert Progress().stale == 0
    assert Progress(history=[0.1, 0.3, 0.2, 0.3]).best == 0.3
    assert Progress(history=[0.1, 0.3, 0.2, 0.3]).stale == 2


def test_what_was_written_is_read(tmp_path: Path) -> None:
    assert Progress.read(HELD, tmp_path) == Progress(7, 2, 1, 3.5, 9, [0.1, 0.4])


def test_the_least_and_the_most_that_a_training_reaches_is_read(tmp_path: Path) -> None:
    for edge in ({"step": 0, "loss": -3, "history": [0, -1.5]}, {"step": 2**63 - 1, "loss": 1e300}):
        assert asdict(Progress.read(HELD | edge, tmp_path)) == HELD | edge
    for beyond in ({"step": 2**63}, {"loss": 1.7e308}, {"loss": -1.7e308}):
        with pytest.raises(ArtefactError):
            Progress.read(HELD | beyond, tmp_path)


def test_a_running_stage_is_counted_from_its_beginning(tmp_path: Path) -> None:
    progress = Progress(7, 2, 0, 0.0, 0, [0.9, 0.4])
    progress.begin()
    assert (progress.stage, progress.epochs, progress.recent) == (1, 0, [])
    assert (progress.best, progress.stale) == (float("-inf"), 0)
    progress.epoch, progress.history = 4, [0.9, 0.4, 0.2, 0.1]
    assert (progress.epochs, progress.best, progress.stale) == (2, 0.2, 1)
    assert Progress.read(asdict(progress), tmp_path) == progress


def test_what_was_written_before_there_were_stages_is_read(tmp_path: Path) -> None:
    later = {"stage", "cpu_seconds"}
    before = {n: v for n, v in HELD.items() if n not in later and not n.startswith("first_")}
    assert Progress.read(before, tmp_path) == Progress(7, 2, 1, 3.5, 9, [0.1, 0.4])


@pytest.mark.parametrize(
    "wrong",
    [
        {"step": -1}, {"step": True}, {"step": 1.0}, {"step": "7"}, {"step": 10**400},
        {"epoch": None}, {"batch": -3}, {"targets": [1]},
        {"loss": float("nan")}, {"loss": float("inf")}, {"loss": "0"}, {"loss": 10**400},
        {"history": None}, {"history": [0.1, None]}, {"history": [float("-inf")]},
        {"history": [True]}, {"more": 1}, {"stage": -1}, {"first_epoch": None},
        {"cpu_seconds": -1.0}, {"cpu_seconds": float("nan")}, {"cpu_seconds": "1"},
    ],
)  # fmt: skip
def test_what_no_training_reaches_is_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(ArtefactError):
        Progress.read(HELD | wrong, tmp_path)


@pytest.mark.parametrize("stored", [None, [], {}, {"step": 1}, "step"])
def test_what_is_no_progress_is_refused(tmp_path: Path, stored: object) -> None:
    with pytest.raises(ArtefactError, match="damaged"):
        Progress.read(stored, tmp_path)
