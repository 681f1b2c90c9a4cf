"""The server under load: requests at a steady rate, many at once, many connections, cold start.

One worker on one core, on loopback; whoever asks runs on the other cores. Arrivals are open-loop:
a request begins when its time has come, whether those before are answered or not, and its latency
counts from then. Milliseconds by the wall are those of a machine on which others work too, so the
load average stands beside them; seconds of processor time are the server's own, from the system.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import asyncio
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from open_loop import Ask, Told, at_once, get, post, steadily

from tastemaker import RunOptions, open_run, run_recommender
from tastemaker.config import environment
from tastemaker.files import write_json
from tastemaker.metrics.ranking import top_k
from tastemaker.run.saved import SavedRun

ROOT = Path(__file__).parents[1]
RATE, LONG = 200, 200
"""Requests a second; events of a history."""
TICKS = os.sysconf("SC_CLK_TCK")
COMMAND = [sys.executable, "-c", "from tastemaker.cli import console; raise SystemExit(console())"]


def row(what: str, ours: float, target: float | None = None, least: bool = False) -> dict[str, Any]:
    """One line of the results; the target is a bar not to be above, or with `least` not below."""
    met = None if target is None else ours >= target if least else ours <= target
    met, ours = None if met is None else bool(met), round(float(ours), 3 if ours < 100 else None)
    return {"what": what, "ours": ours, "peer": None, "ratio": None, "target": target, "met": met}


@dataclass(frozen=True)
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int
    ready: float
    """seconds of the wall from its start until it said that it is ready"""

    @property
    def cpu(self) -> float:
        """CPU-seconds so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    @property
    def memory(self) -> float:
        """MB that it holds."""
        return float(psutil.Process(self.process.pid).memory_info().rss / 1e6)


@contextmanager
def served(run: Path, folder: Path) -> Iterator[Server]:
    """Serve a run on the first core, and end the server."""
    words = ["serve", str(run), "--port", "0", "--database", str(folder / "store.sqlite")]
    began = time.perf_counter()
    process = subprocess.Popen(
        ["taskset", "-c", "0", *COMMAND, *words],
        stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    assert process.stderr
    try:
        said = next(line for line in process.stderr if line.startswith("Serving "))
        ready = time.perf_counter() - began
        port = int(re.search(r":(\d+) ", said)[1])  # type: ignore[index]
        log = (folder / "log").open("w")
        pump = subprocess.Popen(["cat"], stdin=process.stderr, stdout=log)
        yield Server(process, port, ready)
    finally:
        process.terminate()
        process.wait()
        pump.wait()


def loaded(server: Server, what: str, told: Told, cpu: float, bars: bool) -> list[dict[str, Any]]:
    """Lines of one load."""
    p50, p99 = np.percentile(told.seconds, [50, 99]) * 1000
    each = cpu / len(told.seconds) * 1000
    return [
        row(f"{what}: CPU-ms of the server a request", each, 3.0 if bars else None),
        row(f"{what}: p50 ms", p50, 6.0 if bars else None),
        row(
            f"{what}: p99 ms, load average {os.getloadavg()[0]:.1f}" + " (P8)" * bars,
            p99,
            15.0 if bars else None,
        ),
        row(f"{what}: errors", told.errors, 0),
    ]


def measured(server: Server, what: str, load: Any, bars: bool = False) -> list[dict[str, Any]]:
    """Run a load and say how it went."""
    before = server.cpu
    told = asyncio.run(load)
    return loaded(server, what, told, server.cpu - before, bars)


def import_seconds() -> float:
    """CPU-seconds of `import torch` in a process of its own."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", "import torch"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def some_run(path: Path) -> Path:
    """A run of the embedded data, trained once."""
    if not (path / "manifest.json").exists():
        run_recommender(RunOptions(data="movielens-small", out=str(path), resume=path.exists()))
    return path


def all_of(run: Path, folder: Path, scale: float) -> list[dict[str, Any]]:
    """Every measurement."""
    saved, draw = open_run(run), random.Random(0)
    ids = saved.interactions.user_ids.to_list()
    long = [u for code, u in enumerate(ids) if len(saved.interactions.history(code)) >= LONG]
    items = saved.interactions.item_ids.to_list()

    def recommend(number: int) -> bytes:
        return get(f"/v1/users/{long[number % len(long)]}/recommendations?k=10")

    def after(number: int) -> bytes:
        history = [{"item_id": item} for item in draw.sample(items, LONG)]
        return post("/v1/recommendations", {"history": history, "k": 10})

    def similar(number: int) -> bytes:
        return get(f"/v1/items/{items[number % len(items)]}/similar?k=10")

    def told(number: int) -> bytes:
        events = [{"event_id": f"{number}-{n}", "user_id": f"u{draw.randrange(5000)}",
                   "item_id": draw.choice(items), "time": 1_800_000_000 + number,
                   "value": 5.0} for n in range(50)]  # fmt: skip
        return post("/v1/events", {"events": events})

    imported, made = import_seconds(), [in_process(saved, long)]
    with served(run, folder) as server:
        asyncio.run(at_once(server.port, recommend, 1))
        made.append(row("cold start: CPU-s beyond `import torch`", server.cpu - imported, 2.0))
        made.append(row("cold start: s of the wall until it is ready (P10)", server.ready, 3.0))
        asyncio.run(at_once(server.port, recommend, 8, 50))
        asyncio.run(at_once(server.port, similar, 8, 50))
        count = int(RATE * 60 * scale)
        about = f"{RATE} recommendations/s, histories of {LONG} and more"
        made += measured(server, about, steadily(server.port, recommend, RATE, count), bars=True)
        about = f"{RATE} recommendations/s from {LONG} items in the body"
        made += measured(server, about, steadily(server.port, after, RATE, count // 4))
        made += throughput(server, "similar items", similar, int(20_000 * scale), 1_500)
        made += throughput(server, "recommendations, 32 at once", recommend, int(8_000 * scale))
        made += throughput(server, "batches of 50 events", told, int(1_000 * scale), 3_000, 50)
        made += connections(server, recommend)
        made += memory(server, similar, recommend, int(200_000 * scale))
    return made


def in_process(saved: SavedRun, users: list[str]) -> dict[str, Any]:
    """Median milliseconds of the neural model's scores of all items for one user, here."""
    contexts, took = [saved.context(user) for user in users], []
    with torch.inference_mode():
        for number in range(550):
            began = time.perf_counter()
            top_k(saved.models.neural.score(contexts[number % len(contexts)]), 10)
            took.append((time.perf_counter() - began) * 1000)
    name = f"{saved.models.neural_name} scores all items for a user of {LONG} events and more"
    return row(f"{name}, in process: p50 ms (P7)", float(np.median(took[50:])), 1.0)


def throughput(
    server: Server, what: str, ask: Ask, count: int, bar: float | None = None, each: int = 1
) -> list[dict[str, Any]]:
    """As much as the server can do, by the wall and by its own processor time."""
    before, began = server.cpu, time.perf_counter()
    told = asyncio.run(at_once(server.port, ask, 32, count // 32))
    wall, cpu, done = time.perf_counter() - began, server.cpu - before, len(told.seconds) * each
    return [
        row(f"{what}: a second", done / wall, bar, least=True),
        row(f"{what}: a CPU-second of the server", done / max(cpu, 1 / TICKS), bar, least=True),
        row(f"{what}: errors", told.errors, 0),
    ]


def connections(server: Server, ask: Ask) -> list[dict[str, Any]]:
    """2,000 clients at the same moment, five requests each."""
    told = asyncio.run(at_once(server.port, ask, 2_000, 5))
    refused = sum(told.statuses.get(status, 0) for status in (429, 503))
    wrong = told.statuses.get(0, 0) + sum(n for status, n in told.statuses.items() if status == 500)
    return [
        row("2,000 connections: dropped, or answered 500", wrong, 0),
        row("2,000 connections: answered 200", told.statuses.get(200, 0)),
        row("2,000 connections: told to come again", refused),
        row("2,000 connections: of these without Retry-After", refused - told.later, 0),
    ]


def memory(server: Server, similar: Ask, recommend: Ask, count: int) -> list[dict[str, Any]]:
    """How memory grows over many requests, after the first tenth of them."""

    def mixed(number: int) -> bytes:
        return (similar, recommend)[number % 8 == 0](number)

    asyncio.run(at_once(server.port, mixed, 32, count // 320))
    before = server.memory
    asyncio.run(at_once(server.port, mixed, 32, count * 9 // 320))
    grown = 100 * (server.memory / before - 1)
    return [
        row("memory after 20,000 requests, MB", before),
        row(f"memory: growth in % over {count:,} requests", grown, 5.0),
    ]


def main() -> None:
    """Measure, print and write `results/bench-serve.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, default=ROOT / "runs" / "serve")
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        rows = all_of(some_run(asked.run), Path(name), asked.scale)
    for one in rows:
        print(f"{one['what']:75} {one['ours']:>10,} {one['target'] or '':>8} {one['met']}")
    if asked.scale == 1:
        told = {"name": "serve", "rows": rows, "load": os.getloadavg(), **environment()}
        write_json(ROOT / "results" / "bench-serve.json", told)


if __name__ == "__main__":
    main()
