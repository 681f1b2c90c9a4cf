"""A training of visual tool use that is killed ends, when it goes on, as if it had not been."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs tastemaker[rl]")
pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_a_training_killed_between_changes_of_the_disk_goes_on_to_the_same(tmp_path: Path) -> None:
    env = os.environ | {
        "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "TASTEMAKER_CACHE": str(tmp_path / "cache")
    }  # fmt: skip
    command = [sys.executable, "-m", "tests.run.killed_visual", str(tmp_path), "5"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stderr[-4000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) > 15
    for answer in answers:
        assert answer["killed"], answer
        assert (answer["resumed"], answer["differs"]) == (0, []), answer
