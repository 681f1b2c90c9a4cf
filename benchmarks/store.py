"""The event store: how fast events are taken in, read back as a log, and dumped.

SQLite in a temporary folder, one writer, random ids: every batch is one transaction and synced to
the disk before the next begins. Seconds by the wall are mostly the disk's (`fsync` stands beside
them); seconds of processor time are the program's.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import random
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.declaration import Declaration
from tastemaker.serve.dump import dump
from tastemaker.serve.events import Event
from tastemaker.serve.restore import restore
from tastemaker.serve.store import Store

ROOT = Path(__file__).parents[1]
BAR = 3_000
"""Fewest events a second, acknowledged when they are on the disk."""
CLICKS = Declaration(events={"click": "implicit_positive"})
USERS, ITEMS = 10_000, 5_000


def row(what: str, ours: float, target: float | None = None) -> dict[str, Any]:
    """One line of the results; the target is a bar that is to be reached."""
    met = None if target is None else ours >= target
    ours = round(ours, 2 if ours < 100 else None)
    return {"what": what, "ours": ours, "peer": None, "ratio": None, "target": target, "met": met}


def some_events(count: int) -> list[Event]:
    """Events of random users, in the order of their times."""
    draw = random.Random(0)
    return [
        Event(f"{draw.getrandbits(128):032x}", f"u{draw.randrange(USERS)}",
              f"i{draw.randrange(ITEMS)}", 1_700_000_000 + number, "click")
        for number in range(count)
    ]  # fmt: skip


def synced(folder: Path) -> float:
    """Median milliseconds until a page is on this disk."""
    took = []
    with (folder / "page").open("wb") as file:
        for _ in range(50):
            file.write(b"x" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - began)
    return sorted(took)[25] * 1000


def ingest(folder: Path, events: list[Event], size: int) -> list[dict[str, Any]]:
    """Take events in, in batches."""
    with Store.open(folder / f"ingest-{size}") as store:
        wall, cpu = time.perf_counter(), time.process_time()
        for start in range(0, len(events), size):
            store.append(events[start : start + size])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    about = f"batches of {size}, {len(events):,} events"
    return [
        row(f"{about}: acknowledged events/s", len(events) / wall, BAR),
        row(f"{about}: events/CPU-s", len(events) / cpu, BAR),
    ]


def at_once(folder: Path, events: list[Event], size: int, clients: int) -> dict[str, Any]:
    """Take events in from several clients, each of which waits for its own."""
    batches = [events[start : start + size] for start in range(0, len(events), size)]
    with Store.open(folder / "at-once") as store, ThreadPoolExecutor(clients) as pool:
        began = time.perf_counter()
        list(pool.map(store.append, batches))
        took = time.perf_counter() - began
    what = f"batches of {size}, {clients} clients at once: acknowledged events/s"
    return row(what, len(events) / took, BAR)


def used(folder: Path, events: list[Event]) -> list[dict[str, Any]]:
    """What is done with a store: histories, the log, a dump and its way back."""
    made = []
    with Store.open(folder / "ingest-500") as store, Store.open(folder / "again") as other:
        draw = random.Random(1)
        began = time.process_time()
        for _ in range(1_000):
            store.history(f"u{draw.randrange(USERS)}", 50)
        each = (time.process_time() - began) / 1_000
        made.append(row("CPU-ms to read the newest 50 events of a user", each * 1000))
        for what, call in (
            ("read as a log", lambda: store.interactions(CLICKS)),
            ("dumped", lambda: dump(store.database, folder / "dump")),
            ("restored", lambda: restore(other.database, folder / "dump")),
        ):
            began = time.process_time()
            call()
            made.append(row(f"{what}: events/CPU-s", len(events) / (time.process_time() - began)))
    return made


def main() -> None:
    """Measure, print and write `results/bench-store.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=50_000)
    events = some_events(parser.parse_args().events)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = [row("milliseconds of one fsync on this disk, median", synced(folder))]
        for size in (50, 500):
            rows += ingest(folder, events, size)
        rows.append(at_once(folder, events, 50, 8))
        rows += used(folder, events)
    for one in rows:
        print(one["what"], one["ours"], one["target"] or "", flush=True)
    results = {"name": "store", "rows": rows, "load": os.getloadavg(), **environment()}
    files.write_json(ROOT / "results" / "bench-store.json", results)


if __name__ == "__main__":
    main()
