"""`tastemaker run` on the embedded data with two threads: wall time, CPU time and peak memory."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tastemaker import files
from tastemaker.config import environment

ROOT = Path(__file__).parents[1]


def main() -> None:
    """Run it once in a fresh folder and write results/bench-main_job.json."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "tastemaker.cli", "run", "--out", f"{folder}/run"]
        threads = os.environ | {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}
        threads |= {"PYTHONPATH": str(ROOT)}
        started = time.monotonic()
        subprocess.run(command, check=True, env=threads, cwd=folder)
        wall = time.monotonic() - started
        results = files.read_json(Path(folder) / "run" / "results.json")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    load = round(os.getloadavg()[1], 1)
    figures = (
        (f"wall seconds, two cores (load over the last 5 minutes {load})", wall, 240),
        ("CPU-seconds", used.ru_utime + used.ru_stime, None),
        ("peak MB", used.ru_maxrss / 1024, 1536),
        ("NDCG@10 of the model it recommends with",
         results["models"][results["best"]]["ndcg@10"]["mean"], None),
    )  # fmt: skip
    rows = [
        {
            "what": f"`tastemaker run`, MovieLens-small: {what}",
            "ours": round(value, 4 if value < 1 else 0),
            "peer": None,
            "ratio": None,
            "target": target,
            "met": None if target is None else value <= target,
        }
        for what, value, target in figures
    ]
    result = {"name": "main_job", "rows": rows, **environment()}
    files.write_json(ROOT / "results" / "bench-main_job.json", result)
    sys.stdout.write("\n".join(f"{row['what']}: {row['ours']}" for row in rows) + "\n")


if __name__ == "__main__":
    main()
