"""Items beside an item: look-ups in the stored table, its making and refreshing, titles (P9).

20,000 generated items in 200 groups, 64 numbers a head, on one thread; look-ups are of 10,000
random rows of a table that is mapped from its file.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemaker import files
from tastemaker.config import environment
from tastemaker.errors import BadInput
from tastemaker.recommend.item_search import ItemSearch
from tastemaker.recommend.merge import ItemHeads
from tastemaker.recommend.neighbour_rows import build_table, refresh_table
from tastemaker.recommend.neighbour_table import NeighbourTable
from tastemaker.run.titles import Titles

ROOT = Path(__file__).parents[1]
ITEMS, GROUPS, DIM, USUAL, K = 20_000, 200, 64, 0.2, 10
LOOK_UPS, CHANGED, TITLES = 10_000, 10, 1_000_000


def row(what: str, ours: float, target: float | None = None) -> dict[str, Any]:
    """One line of the results; the target is a bar not to be above."""
    met = None if target is None else ours <= target
    return {"what": what, "ours": ours, "peer": None, "ratio": None, "target": target, "met": met}


def some_heads() -> ItemHeads:
    """Items that lie in groups, each head in a latent space of 16 numbers."""
    rng = np.random.default_rng(0)
    groups, parts = rng.integers(GROUPS, size=ITEMS), []
    for _ in range(3):
        latent = rng.normal(size=(GROUPS, 16))[groups] + 0.5 * rng.normal(size=(ITEMS, 16))
        wide = (latent @ rng.normal(size=(16, DIM))).astype(np.float32)
        parts.append(wide / np.linalg.norm(wide, axis=1, keepdims=True))
    return ItemHeads(*parts)


def look_ups(table: NeighbourTable, dial: float | None) -> tuple[float, float, float]:
    """Median and 99th percentile in microseconds, and the share that the table answers."""
    rows = np.random.default_rng(1).integers(ITEMS, size=LOOK_UPS).tolist()
    took, answered = np.empty(LOOK_UPS), 0
    for place, asked in enumerate(rows):
        started = time.perf_counter_ns()
        near = table.nearest(asked, K, dial)
        took[place] = time.perf_counter_ns() - started
        answered += near is not None
    middle, slow = np.percentile(took, [50, 99]) / 1000
    return round(float(middle), 2), round(float(slow), 2), answered / LOOK_UPS


def timed_titles() -> float:
    """CPU-seconds to fold a million titles and to name the nearest ones of a misspelt one."""
    words = ["river", "night", "stone", "garden", "winter", "signal", "harbour", "mirror"]
    names = [f"{words[n % 8]} {words[n // 8 % 8]} {n} ({1950 + n % 70})" for n in range(TITLES)]
    titles = Titles(pl.Series([f"i{n}" for n in range(TITLES)]), pl.Series(names))
    started = time.process_time()
    try:
        titles.find("the winter gardn of signals and mirrors and rivers")
    except BadInput as error:
        assert "Did you mean" in error.fix
    return round(time.process_time() - started, 2)


def main() -> None:
    """Measure, print and write `results/bench-similar.json`."""
    heads = some_heads()
    search, started = ItemSearch(heads), time.process_time()
    table = build_table(search, dial=USUAL)
    built = time.process_time() - started
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table"
        table.save(path)
        size = path.stat().st_size / ITEMS
        mapped = NeighbourTable.open(path, ITEMS)
        usual, others = look_ups(mapped, None), [look_ups(mapped, g) for g in (0.0, 0.1, 0.5, 1.0)]
    turned = replace(heads, target=heads.target.copy())
    turned.target[:CHANGED] = heads.target[CHANGED : 2 * CHANGED]
    now, started = ItemSearch(turned), time.process_time()
    refresh_table(table, heads, now)
    refreshed = time.process_time() - started
    about = f"{ITEMS:,} items, {DIM} numbers a head"
    rows = [
        row(f"{about}: microseconds of a look-up at the usual dial, median (P9)", usual[0], 5),
        row(f"{about}: the same, 99th percentile", usual[1]),
        row(f"{about}: microseconds at another dial, median", max(o[0] for o in others), 30),
        row(f"{about}: share at other dials that must be searched", 1 - min(o[2] for o in others)),
        row(f"{about}: CPU-s to build the table", round(built, 1)),
        row(f"{about}: CPU-s to refresh it, {CHANGED} items changed", round(refreshed, 1)),
        row(f"{about}: bytes an item on disk", round(size)),
        row(f"{TITLES:,} titles: CPU-s to name those nearest to a misspelt one", timed_titles(), 2),
    ]
    for one in rows:
        print(one["what"], one["ours"], one["target"] or "")
    results = {"name": "similar", "rows": rows, **environment()}
    files.write_json(ROOT / "results" / "bench-similar.json", results)


if __name__ == "__main__":
    main()
