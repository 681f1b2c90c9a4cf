"""The main job on the embedded data: alone to its end, then an epoch beside other busy processes.

The command chooses its threads; beside it stand two threads. Busy is a loop that spins, or a
training of ours. `--epochs N` ends the first run after N epochs; with 1 all takes minutes.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tastemaker import files
from tastemaker.config import environment

ROOT = Path(__file__).parents[1]
SETTINGS = ("OMP_", "MKL_", "GOMP_", "KMP_", "OPENBLAS_")
"""Variables that choose threads: measured runs begin without them."""
BUSY = {
    "alone": (),
    "beside a spinning loop": ("loop",),
    "beside a training": ("training",),
    "beside two trainings": ("training", "training"),
}
START, LIMIT = 10.0, 300.0
"""Seconds until a busy process is busy, and after which an epoch counts as starved."""


@dataclass(frozen=True)
class Measured:
    """What one run took."""

    wall: float
    cpu: float
    peak_mb: float
    first: float
    """seconds until it recommended something"""
    threads: int
    ndcg: float
    finished: bool


def command(out: Path, epochs: int) -> list[str]:
    """The words of one run; 0 epochs: as many as it takes."""
    words = [sys.executable, "-m", "tastemaker.cli", "train", "sasrec", "--out", str(out)]
    return [*words, *(("--fit.epochs", str(epochs)) if epochs else ())]


def environ(threads: int) -> dict[str, str]:
    """An environment that asks for `threads`; 0: the command chooses."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    kept["PYTHONPATH"] = str(ROOT)
    return kept | ({"OMP_NUM_THREADS": str(threads)} if threads else {})


def measure(folder: Path, threads: int, epochs: int, limit: float | None = None) -> Measured:
    """Run once; a run that passes `limit` seconds is ended and counts as not finished."""
    out = Path(tempfile.mkdtemp(dir=folder)) / "run"
    started, first = time.monotonic(), 0.0
    process = subprocess.Popen(
        command(out, epochs),
        env=environ(threads),
        cwd=folder,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    timer = threading.Timer(limit or 36_000, process.kill)
    timer.start()
    assert process.stderr
    for line in process.stderr:
        sys.stderr.write(line)
        if not first and " recommends: " in line:
            first = time.monotonic() - started
    _, status, used = os.wait4(process.pid, 0)
    timer.cancel()
    process.returncode = os.waitstatus_to_exitcode(status)
    wall, finished = time.monotonic() - started, process.returncode == 0
    if not finished and not limit:
        raise SystemExit(f"the run failed with {process.returncode}")
    chosen, ndcg = threads, 0.0
    if finished:
        results = files.read_json(out / "results.json")
        ndcg = results["models"][results["best"]]["ndcg@10"]["mean"]
        chosen = files.read_json(out / "config.json")["threads"]
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return Measured(wall, cpu, peak, first, chosen, ndcg, finished)


@contextmanager
def busy(kinds: tuple[str, ...], folder: Path) -> Iterator[None]:
    """Hold processes that compute for as long as the block lasts."""
    others = []
    try:
        for kind in kinds:
            out = Path(tempfile.mkdtemp(dir=folder)) / "run"
            loop = [sys.executable, "-c", "while True: pass"]
            words = loop if kind == "loop" else [*command(out, 10_000), "--fit.patience", "0"]
            quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            others.append(subprocess.Popen(words, env=environ(0), cwd=folder, **quiet))
        if kinds:
            time.sleep(START)
        yield
    finally:
        for other in others:
            other.kill()
            other.wait()


def row(what: str, ours: float, **more: Any) -> dict[str, Any]:
    """One line of the table."""
    empty = {"peer": None, "ratio": None, "target": None, "met": None}
    return {"what": what, "ours": round(ours, 4 if ours < 1 else 1), **empty, **more}


def at_most(what: str, value: float, target: float | None) -> dict[str, Any]:
    """A line whose value has a largest that it may have."""
    return row(what, value, target=target, met=None if target is None else value <= target)


def whole_run(found: Measured, epochs: int) -> list[dict[str, Any]]:
    """The lines of the first run."""
    load = round(os.getloadavg()[1], 1)
    name = "`tastemaker run`, MovieLens-small" + (f", {epochs} epoch" if epochs else "")
    threads = f"{found.threads} thread{'s' if found.threads > 1 else ''} of {os.cpu_count()}"
    wall = f"{name}: wall seconds, {threads} (load over the last 5 minutes {load})"
    return [
        at_most(wall, found.wall, None if epochs else 240),
        row(f"{name}: CPU-seconds", found.cpu),
        at_most(f"{name}: peak MB", found.peak_mb, 1536),
        at_most(f"{name}: seconds until it recommends something", found.first, 20),
        row(f"{name}: NDCG@10 of the model it recommends with", found.ndcg),
    ]


def crowded(found: dict[tuple[str, int], Measured]) -> list[dict[str, Any]]:
    """CPU-seconds of an epoch in company, against the same alone; and one thread against two."""
    lines = []
    for (place, asked), one in found.items():
        alone = found["alone", asked]
        words = f"{asked} threads" if asked else f"threads as chosen ({alone.threads})"
        end = f"wall {one.wall:.0f} s" if one.finished else f"not finished in {one.wall:.0f} s"
        ratio = round(one.cpu / alone.cpu, 2)
        target = None if asked or place == "alone" else 1.5
        met = None if target is None else one.finished and ratio <= target
        what = f"one epoch, {words}, {place} ({end}): CPU-seconds, against alone"
        lines.append(row(what, one.cpu, ratio=ratio, target=target, met=met))
    ours, two = found["alone", 0].wall, found["alone", 2].wall
    ratio = round(ours / two, 2)
    what = "one epoch alone, threads as chosen: wall seconds, against two threads"
    lines.append(row(what, ours, peer=round(two, 1), ratio=ratio, target=1.25, met=ratio <= 1.25))
    return lines


def main() -> None:
    """Measure all and write results/bench-main_job.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--epochs", type=int, default=0, help="of the first run; 0: to its end")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "bench-main_job.json")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ends the busy processes too
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = whole_run(measure(folder, 0, asked.epochs), asked.epochs)
        found = {}
        for place, kinds in BUSY.items():
            for threads in (0, 2):
                with busy(kinds, folder):
                    found[place, threads] = measure(folder, threads, 1, LIMIT)
        rows += crowded(found)
    files.write_json(asked.out, {"name": "main_job", "rows": rows, **environment()})
    sys.stdout.write("\n".join(f"{row['what']}: {row['ours']}" for row in rows) + "\n")


if __name__ == "__main__":
    main()
