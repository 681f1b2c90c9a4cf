"""Trainings of visual tool use in processes of their own, each ended by SIGKILL on its way.

`python -m tests.run.killed_visual FOLDER STEP` kills one before every STEP-th change of the disk,
goes on with it, and prints a JSON object for each.
"""

import hashlib
import json
import signal
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch

from tastemaker import files
from tastemaker.report import visual
from tastemaker.run import vtool as job
from tastemaker.run.vtool import reinforce_vtool
from tests.run.forked import forked
from tests.run.killed_publications import changes, killed
from tests.run.visual import LEARNING, config

WEIGHTS = ("model/model.safetensors", "start/model.safetensors")
MADE = config(vtool=replace(config().vtool, learning=replace(LEARNING, steps=3, micro=1)))


def trained(place: Path) -> None:
    """Begin, or go on where something was begun."""
    torch.set_num_threads(1)
    run = place / "run"
    reinforce_vtool(MADE, str(run), (run / "config.json").exists())


def told(place: Path) -> dict[str, object]:
    """What a finished run is, but for how long it took."""
    run = place / "run"
    results = files.read_json(run / "results.json")
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return {
        "weights": [hashlib.sha256((run / name).read_bytes()).hexdigest() for name in WEIGHTS],
        "results": {name: results[name] for name in ("before", "after", "kept", "examples")},
        "lines": [{name: line[name] for name in ("step", "reward", "loss")} for line in lines],
    }


def main(folder: Path, step: int) -> None:
    job.write_page = lambda run: files.write_text(run / visual.NAME, "<p>a page</p>")
    (folder / "whole").mkdir()
    points = changes(trained, folder / "whole")
    want = told(folder / "whole")
    for number in range(0, len(points), step):
        place = folder / f"kill-{number}"
        place.mkdir()
        code = killed(trained, place, number)
        again = forked(partial(trained, place))
        answer = {
            "point": points[number],
            "killed": code == -signal.SIGKILL,
            "resumed": again,
            "differs": [name for name, value in told(place).items() if value != want[name]],
        }
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
