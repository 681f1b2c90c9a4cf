"""How long 1,000 planted users take without a judge: asked, kept as samples, scored with intervals.

The model is the simulated oracle, so that what is measured is the benchmark itself. CPU-seconds,
the median of three runs on one thread.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import statistics
import tempfile
import time
from pathlib import Path

from tastemaker import files
from tastemaker.config import environment
from tastemaker.understand import gistbench
from tastemaker.understand.gistbench_results import score
from tastemaker.understand.simulated import Simulated
from tastemaker.understand.task_paths import planted_task
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

ROOT = Path(__file__).parents[1]
USERS, REPEATS, BAR = 1_000, 3, 60.0


def spent() -> tuple[float, float]:
    """CPU-seconds to ask about everybody, and to score the samples."""
    planted = plant_users(PlantedOptions(users=USERS))
    task, model = planted_task(planted), Simulated("oracle", planted)
    with tempfile.TemporaryDirectory() as folder:
        begun = time.process_time()
        run = gistbench.run(task, model, None, Path(folder) / "run")
        asked = time.process_time()
        results = score(run)
        scored = time.process_time()
    assert results["scores"]["ig_f1"]["mean"] == 1.0
    return asked - begun, scored - asked


def main() -> None:
    """Measure, print and write `results/bench-gistbench.json`."""
    times = [spent() for _ in range(REPEATS)]
    asked, scored = (round(statistics.median(column), 2) for column in zip(*times, strict=True))
    keys = ("what", "ours", "peer", "ratio", "target", "met")
    about = f"{USERS:,} planted users without a judge, CPU-seconds"
    both = round(asked + scored, 2)
    rows = [
        (f"{about}: asked and kept", asked, None, None, None, None),
        (f"{about}: scored with intervals", scored, None, None, None, None),
        (f"{about}: both", both, None, None, BAR, both <= BAR),
    ]
    found = [dict(zip(keys, one, strict=True)) for one in rows]
    files.write_json(
        ROOT / "results" / "bench-gistbench.json",
        {"name": "gistbench", "rows": found, **environment()},
    )
    print(*found, sep="\n")


if __name__ == "__main__":
    main()
