"""How CPU time and memory grow with the log: 1e5, 1e6 and 1e7 generated interactions (P11).

The catalogue and the model stay the same and users have fifty events each, so every stage should
take time in proportion to the interactions: a log-log slope of .95 to 1.08. Each case is a fresh
process on one thread; three of each, and the median counts. Memory should be a line: a + b·n.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.batches import NextItemBatches
from tastemaker.data.datasets import load
from tastemaker.data.splits import leave_one_out
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.worlds.logs import write_large

ROOT = Path(__file__).parents[1]
SIZES = (100_000, 1_000_000, 10_000_000)
REPEATS = 3
ITEMS = 2000
EVENTS = 50
STAGES = ("load", "train", "evaluate")
MODEL = SASRecConfig(dim=16, layers=1, inner=64, history=25, loss="sampled", negatives=128)


def case(path: Path, warm: Path) -> dict[str, float]:
    """CPU-seconds of each stage on one file, after the same on a small one, and the peak."""
    torch.set_num_threads(1)
    stages(warm)
    return {**stages(path), "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def stages(path: Path) -> dict[str, float]:
    """Load, one pass of training, and full-ranking evaluation."""
    took = {}

    def timed(stage: str, work: Callable[[], object]) -> object:
        started = time.process_time()
        done = work()
        took[stage] = time.process_time() - started
        return done

    cuts = timed("load", lambda: leave_one_out(load(path).interactions))
    model = SASRec(MODEL, ITEMS)
    batches = NextItemBatches(cuts.train(), MODEL.history, 6400, negatives=MODEL.negatives)
    optimizer = torch.optim.AdamW(model.parameters())

    def one_pass() -> None:
        for batch in batches.epoch(0):
            optimizer.zero_grad()
            for part in batch.parts(small=True):
                model(part).backward()
            optimizer.step()

    timed("train", one_pass)
    queries = cuts.queries("test")
    timed(
        "evaluate", lambda: evaluate(model.eval(), queries, EvalOptions((10,), filter_seen=False))
    )
    return took


def slope(sizes: list[int], values: list[float]) -> float:
    """Least-squares slope of log value on log size."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def main() -> None:
    """Generate, measure, write results/bench-scaling.json."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(case(*map(Path, sys.argv[1:]))))
        return
    found: dict[int, dict[str, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        warm = Path(folder) / "warm.parquet"
        write_large(warm, 20_000, 20_000 // EVENTS, ITEMS)
        for size in SIZES:
            path = Path(folder) / "log.parquet"
            write_large(path, size, size // EVENTS, ITEMS)
            runs = [measured(path, warm) for _ in range(REPEATS)]
            found[size] = {name: float(np.median([run[name] for run in runs])) for name in runs[0]}
            print(size, found[size], flush=True)
    rows = []
    for stage in STAGES:
        values = [found[size][stage] for size in SIZES]
        shown = ", ".join(f"{value:.2f}" for value in values)
        grown = slope(list(SIZES), values)
        what = f"log-log slope of CPU-seconds to {stage}: 1e5, 1e6, 1e7 take {shown} (P11)"
        rows.append(row(what, grown, ".95–1.08", bool(0.95 <= grown <= 1.08)))
    peaks = np.array([found[size]["peak_mb"] for size in SIZES])
    line = np.polyfit(SIZES, peaks, 1)
    residual = float(np.abs(np.polyval(line, SIZES) / peaks - 1).max())
    shown = ", ".join(f"{value:.0f}" for value in peaks)
    what = f"largest residual of peak MB = {line[1]:.0f} + {line[0] * 1e6:.0f}·n/1e6: {shown} (P11)"
    rows.append(row(what, residual, "≤ .10", residual <= 0.1))
    result = {"name": "scaling", "rows": rows, "cases": found, **environment()}
    files.write_json(ROOT / "results" / "bench-scaling.json", result)


def measured(path: Path, warm: Path) -> dict[str, float]:
    """One case in a fresh process."""
    command = [sys.executable, __file__, str(path), str(warm)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def row(what: str, ours: float, target: str, met: bool) -> dict[str, object]:
    """A row without a peer."""
    shown = round(ours, 3)
    return {"what": what, "ours": shown, "peer": None, "ratio": None, "target": target, "met": met}


if __name__ == "__main__":
    main()
