"""A group may lie on two processes: all know the advantages that one alone would."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="trl is not installed: it comes with the extra rl")

ROOT = Path(__file__).parents[2]
TWO = ("-m", "torch.distributed.run", "--nproc-per-node=2", "--master-port=29573")


@pytest.mark.slow
def test_two_processes_make_the_advantages_of_one(tmp_path: Path, chatty: Path) -> None:
    paths = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    script = str(Path(__file__).parent / "gather_script.py")
    for name, launch in (("one", ()), ("two", TWO)):
        words = [sys.executable, *launch, script, str(chatty), str(tmp_path / name)]
        done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr[-3000:]
    told = [json.loads((tmp_path / name).read_text()) for name in ("one-0", "two-0", "two-1")]
    assert told[0] == told[1] == told[2]
    assert len(told[0]["total"]) == 3
