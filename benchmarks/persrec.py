"""A request with a compressed history against one that reads all of it; what is kept of a user.

HSTU of 16 layers and 64 numbers, random weights, one thread: a pass of P + R events, R events
beside the k kept tokens, and a compression, alone and in batches. CPU-milliseconds, the median
and the 95th percentile of calls that alternate; scoring the catalogue, the same for all, is apart.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tastemaker import files
from tastemaker.config import environment
from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts
from tastemaker.nn.view import View
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_cost import Cost, cost_of, numbers_kept, numbers_raw
from tastemaker.recommend.persrec_layout import split_rows
from tastemaker.recommend.persrec_memory import Remembering, identity_of
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.user_states import UserStates

ROOT = Path(__file__).parents[1]
ITEMS, LAYERS, DIM, TOKENS = 10_000, 16, 64, 4
GRID = ((100, 50), (400, 50), (1000, 100), (2000, 100))
HEADLINE = (1000, 100)
BAR = 0.15
"""Largest share of a full request's CPU time that a cached one may take."""


def row(
    what: str, ours: float, ratio: float | None = None, target: float | None = None
) -> dict[str, Any]:
    """One line of the results; the target is a bar that the ratio is not to be above."""
    met = None if target is None or ratio is None else ratio <= target
    return {"what": what, "ours": ours, "peer": None, "ratio": ratio, "target": target, "met": met}


def some_model(old: int, recent: int) -> PerSRec:
    """Random weights."""
    torch.manual_seed(0)
    backbone = HSTUConfig(dim=DIM, layers=LAYERS, heads=8, head_dim=8, dropout=0.0)
    config = PerSRecConfig(backbone, old, recent, TOKENS)
    return PerSRec(config, HSTU(config.inner, ITEMS)).eval()


def some_users(users: int, length: int) -> Contexts:
    """Histories of random items, a minute apart."""
    rng = np.random.default_rng(0)
    items = rng.integers(1, ITEMS + 1, users * length).astype(np.int32)
    offsets = np.arange(users + 1, dtype=np.int64) * length
    return Contexts(np.arange(users), offsets, items, np.tile(np.arange(length) * 60, users))


@torch.inference_mode()
def timed(calls: dict[str, Callable[[], Any]], warm: int, runs: int) -> dict[str, Any]:
    """CPU-milliseconds of each call, which take turns: (median, 95th percentile)."""
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(warm + runs):
        for name, call in calls.items():
            began = time.process_time_ns()
            call()
            if number >= warm:
                spent[name].append((time.process_time_ns() - began) / 1e6)
    return {name: np.percentile(values, [50, 95]).round(3) for name, values in spent.items()}


def case(old: int, recent: int, users: int, runs: int) -> list[dict[str, Any]]:
    """Every line of one layout and batch."""
    model = some_model(old, recent)
    batch: Batch = last(some_users(users, old + recent), old + recent)
    past, new = split_rows(batch, recent)
    newest = batch.valid.sum(1) - 1
    with torch.inference_mode():
        memory, table = model.compress(past), model.item_vectors()
        state = model.asked(new, memory)
    calls: dict[str, Callable[[], Any]] = {
        "full": lambda: model.backbone.states(batch, View(newest=newest)),
        "cached": lambda: model.asked(new, memory),
        "compression": lambda: model.compress(past),
        "scoring": lambda: state @ table.T,
    }
    took = timed(calls, 20 if users == 1 else 1, runs)
    return lines(took, cost_of(model.config), (old, recent), users)


def lines(
    took: dict[str, Any], cost: Cost, shape: tuple[int, int], users: int
) -> list[dict[str, Any]]:
    """What was measured, against the full request and the formula."""
    spent = Cost(*(float(took[name][0]) for name in ("full", "cached", "compression")))
    full, cached, compression = spent.full, spent.cached, spent.compression
    about = f"P {shape[0]:,}, R {shape[1]}, k {TOKENS}, batch {users}"
    bar = BAR if shape == HEADLINE and users == 1 else None
    made = [
        row(f"{about}: CPU-ms of a full request, median", full),
        row(f"{about}: the same, 95th percentile", float(took["full"][1])),
        row(f"{about}: cached request, of the full one", cached, round(cached / full, 4), bar),
        row(f"{about}: the same, 95th percentile", float(took["cached"][1])),
        row(f"{about}: by the formula", cost.cached, round(cost.cached / cost.full, 4)),
        row(f"{about}: compression, of a full request", compression, round(compression / full, 4)),
    ]
    for shared in (1, 10, 100):
        each = spent.amortised(shared)
        what = f"{about}: cached and 1/{shared} of a compression"
        made.append(row(what, round(each, 3), round(each / full, 4)))
    scored = float(took["scoring"][0])
    return [
        *made,
        row(f"{about}: requests a compression from which it pays", round(spent.break_even, 3)),
        row(f"{about}: the same by the formula", round(cost.break_even, 3)),
        row(f"{about}: CPU-ms to score {ITEMS:,} items", scored),
        row(f"{about}: cached and scored, of full and scored", round(cached + scored, 3),
            round((cached + scored) / (full + scored), 4)),
    ]  # fmt: skip


def kept(users: int) -> list[dict[str, Any]]:
    """What is kept of a user, on disk, and how long it takes to read."""
    old, recent = HEADLINE
    model, contexts = some_model(old, recent), some_users(users, old + recent)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "states"
        states = UserStates.open(path, identity_of(model), "float32")
        remembering = Remembering(model, states, str)
        for start in range(0, users, 16):
            remembering.memory(contexts.slice(start, start + 16))
        began = time.process_time_ns()
        for user in range(users):
            remembering.memory(contexts.slice(user, user + 1))
        took = (time.process_time_ns() - began) / 1e6 / users
        states.close()
        size = path.stat().st_size / users
    numbers, raw = numbers_kept(model.config), numbers_raw(model.config)
    about = f"P {old:,}, R {recent}, k {TOKENS}"
    return [
        row(f"{about}: numbers kept of a user, (layers − 1)·2·k·D and D", numbers),
        row(f"{about}: of the keys and values of the old events", numbers, round(numbers / raw, 5)),
        row(f"{about}: bytes a user on disk, of 4 a number", round(size),
            round(size / 4 / numbers, 3)),
        row(f"{about}: CPU-ms to read one user's memory", round(took, 3)),
    ]  # fmt: skip


def main() -> None:
    """Measure, print and write `results/bench-persrec.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="timed calls of batch 1")
    runs = parser.parse_args().runs
    torch.set_num_threads(1)
    rows = kept(64)
    for shape in GRID:
        rows += case(*shape, 1, runs)
        rows += case(*shape, 64 if shape[0] < 1000 else 8, max(3, runs // 40))
        for one in rows[-26:]:
            print(one["what"], one["ours"], one["ratio"] or "", one["target"] or "", flush=True)
    results = {"name": "persrec", "rows": rows, **environment()}
    files.write_json(ROOT / "results" / "bench-persrec.json", results)


if __name__ == "__main__":
    main()
