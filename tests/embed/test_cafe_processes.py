"""Two real processes learn from a step as one does."""

import json
import os
import subprocess
import sys

import pytest

from tests.train.test_processes import TWO

SCRIPT = """
import json, sys
import torch
torch.set_num_threads(1)
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tests.embed.small import batches, some_model
model = some_model()
values = []
def validate():
    values.append([float(p.detach().double().sum()) for p in model.parameters()])
    return {"ndcg@10": float(len(values))}
fit(model, batches(model, batch=5), FitConfig(epochs=3, lr=3e-3, warmup=1, patience=0), validate)
from tastemaker.train.processes import processes
if processes().is_main_process:
    print(processes().num_processes, json.dumps(values))
"""


def run(*launch: str) -> tuple[int, list[list[float]]]:
    made = subprocess.run(
        [sys.executable, *launch], capture_output=True, text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-2000:]
    many, _, values = made.stdout.splitlines()[-1].partition(" ")
    return int(many), json.loads(values)


@pytest.mark.slow
def test_two_processes_learn_as_one(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    processes, two = run("-m", "accelerate.commands.launch", *TWO, str(script))
    alone, one = run(str(script))
    assert (processes, alone) == (2, 1)
    for ours, theirs in zip(two, one, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-3)
