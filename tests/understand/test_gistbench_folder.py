"""A folder belongs to one run, and what differs of another is said."""

from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.files import read_json
from tastemaker.understand.gistbench import run
from tastemaker.understand.gistbench_folder import CONFIG, oracle_of
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.simulated import Simulated
from tests.understand.gist_tasks import OPTIONS, SIZES, TASK, TRUTH, WORLD

RESUMED = replace(OPTIONS, resume=True)


def test_a_folder_of_another_run_is_refused_by_what_differs(tmp_path: Path) -> None:
    model = Simulated("oracle", WORLD)
    run(TASK, model, TRUTH, tmp_path, OPTIONS)
    with pytest.raises(BadInput, match="resume"):
        run(TASK, model, TRUTH, tmp_path, OPTIONS)
    for differs, task, other, judge, options in (
        ("model.name", TASK, Simulated("no evidence", WORLD), TRUTH, RESUMED),
        ("judge", TASK, model, None, RESUMED),
        ("judge.name", TASK, model, PlantedJudge(WORLD, 0.1, sizes=SIZES), RESUMED),
        ("options.mode", TASK, model, TRUTH, replace(RESUMED, mode="reference")),
        ("oracle_sha256", replace(TASK, oracle=Oracle({"u0": frozenset({1})})), model, TRUTH,
         RESUMED),
    ):  # fmt: skip
        with pytest.raises(BadInput, match=differs):
            run(task, other, judge, tmp_path, options)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").touch()
    with pytest.raises(BadInput, match="no run"):
        run(TASK, model, TRUTH, tmp_path / "other", OPTIONS)


def test_the_truth_is_the_oracle_of_a_planted_task() -> None:
    made = oracle_of(replace(TASK, oracle=None))
    assert made is not None
    assert made.users == WORLD.oracle
    assert oracle_of(replace(TASK, oracle=None, planted=None)) is None


def test_a_folder_says_with_what_it_was_made(tmp_path: Path) -> None:
    run(TASK, Simulated("oracle", WORLD), None, tmp_path, replace(OPTIONS, limit=1))
    assert read_json(tmp_path / CONFIG)["environment"]["versions"]
