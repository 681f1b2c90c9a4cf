"""However a run ends, by SIGKILL between any two changes of the disk or by a signal in any stage,
what stands there can be read and goes on to the bytes of an undisturbed run."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import write_data
from tests.run.forked import STAGES

ROOT = Path(__file__).parents[2]
FRESH = "rename (metrics|results|blend)|open .partial-report|remove .partial-manifest"
TRAINS_ON = "rename finished|remove manifest|rename (results|manifest)"
STOPS = ("reading:15:1", "validation:2:3", "blend:2:1", "report:15:1")


def asked(folder: Path, *requests: str) -> list[dict[str, Any]]:
    """Answers of an interpreter that forks for each run."""
    write_data(folder / "data", users=30)
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "tests.run.forked", str(folder), *requests]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def check_kill(answer: dict[str, Any]) -> None:
    assert answer["killed"], answer
    assert answer["readable"], answer
    assert (answer["resumed"], answer["differs"]) == (0, []), answer
    assert set(answer["stray"]) <= {"finished"}, answer  # gone when the run next trains on


def check_stop(answer: dict[str, Any], number: int) -> None:
    assert answer["code"] == 128 + number, answer
    assert answer["took"] < 60, answer
    assert (answer["resumed"], answer["same"]) == (0, True), answer


def test_runs_that_are_killed_or_stopped_go_on(tmp_path: Path) -> None:
    requests = [f"kills:0:{FRESH}", f"kills:2:{TRAINS_ON}", *(f"stops:{stop}" for stop in STOPS)]
    answers = asked(tmp_path, *requests)
    killed = [answer for answer in answers if "point" in answer]
    stopped = [answer for answer in answers if "line" in answer]
    assert len(killed) == 9
    assert len(stopped) == len(STOPS)
    for answer in killed:
        check_kill(answer)
    for answer, stop in zip(stopped, STOPS, strict=True):
        check_stop(answer, int(stop.split(":")[1]))


@pytest.mark.slow
@pytest.mark.parametrize("before", [0, 1, 2])
def test_a_run_killed_between_any_two_changes_of_the_disk(tmp_path: Path, before: int) -> None:
    answers = asked(tmp_path, f"kills:{before}:.")
    assert len(answers) > 80
    for answer in answers:
        check_kill(answer)


@pytest.mark.slow
@pytest.mark.parametrize("number", [2, 15])
def test_a_run_stopped_in_any_stage(tmp_path: Path, number: int) -> None:
    for answer in asked(tmp_path, *(f"stops:{stage}:{number}:1" for stage in STAGES)):
        check_stop(answer, number)
