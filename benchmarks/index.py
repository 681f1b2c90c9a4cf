"""Nearest neighbours on one core: speed at a measured recall, with and without filters.

Vectors lie in clusters of a space of 32 dimensions, turned into more: a hard set for cells. Recall
is measured on queries of the same kind that were not there when the index was set. Each case is a
fresh process on one thread; CPU-seconds are the fastest of three.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tastemaker import files
from tastemaker.config import environment
from tastemaker.index.calibrate import recalls
from tastemaker.index.choice import IndexOptions
from tastemaker.index.exact import Floats, Lists
from tastemaker.index.library import faiss
from tastemaker.index.vectors import VectorIndex, make_index

ROOT = Path(__file__).parents[1]
LATENT, CLUSTERS = 32, 2000
QUERIES, SINGLE = 1000, 50
CASES: dict[str, tuple[int, int, IndexOptions]] = {
    "graph": (200_000, 128, IndexOptions()),
    "cells": (1_000_000, 64, IndexOptions(build_seconds=120, memory=2**31)),
}


def clustered(count: int, dim: int, seed: int) -> Floats:
    """(n, dim) unit vectors."""
    rng, shape = np.random.default_rng(seed), np.random.default_rng(0)
    centres = shape.standard_normal((CLUSTERS, LATENT), np.float32)
    turn = shape.standard_normal((LATENT, dim), np.float32)
    inner = centres[rng.integers(CLUSTERS, size=count)]
    inner += 0.5 * rng.standard_normal((count, LATENT), np.float32)
    vectors = inner @ turn
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


def seconds(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """CPU-seconds of the fastest time, and what it gave."""
    took = []
    for _ in range(times):
        started = time.process_time()
        given = work()
        took.append(time.process_time() - started)
    return min(took), given


def case(name: str) -> dict[str, Any]:
    """Build one index, and ask it and exact search the same."""
    count, dim, options = CASES[name]
    vectors = clustered(count, dim, seed=1)
    index = make_index(vectors, options=options)
    told = index.calibration
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    queries = clustered(QUERIES, dim, seed=2)
    exact = make_index(vectors, options=IndexOptions(kind="exact"))
    found = {
        "build_cpu_s": told.build_seconds, "peak_mb": peak, "kind": told.kind,
        "parameters": told.parameters, "told": told.reached, "bytes": told.bytes,
    }  # fmt: skip
    filters = {
        "": None,
        "drawn": np.random.default_rng(3).permutation(count)[: count // 10],
        "one direction": np.argsort(vectors[:, 0])[: count // 10],
    }
    for filtered, allow in filters.items():
        found[filtered] = compared(index, exact, queries, allow)
    if name == "graph":
        took, _ = seconds(lambda: [index.search(one, 10) for one in queries[:SINGLE, None]])
        found["single_ms"] = 1000 * took / SINGLE
        flat = faiss().IndexFlatIP(dim)
        flat.add(vectors)
        took, _ = seconds(lambda: flat.search(queries, 10))
        found["flat"] = QUERIES / took
    return found


def compared(
    index: VectorIndex, exact: VectorIndex, queries: Floats, allow: np.ndarray | None
) -> dict[str, float]:
    """Queries a CPU-second of both, and the recall of the first."""

    def lists(one: VectorIndex) -> Callable[[], Lists]:
        return lambda: one.search(queries, 10, allow)

    took, found = seconds(lists(index))
    slow, best = seconds(lists(exact), 1 if len(index) > 500_000 else 3)
    share = recalls(found, best)
    return {"recall": float(share.mean()), "rate": QUERIES / took, "exact": QUERIES / slow}


def main() -> None:
    """Measure both cases and write results/bench-index.json."""
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(case(sys.argv[1])))
        return
    found = {name: measured(name) for name in CASES}
    graph, cells = found["graph"], found["cells"]
    first = "graph (HNSW) of 200,000 × 128"
    second = "cells (IVF) of 1,000,000 × 64"
    plain = graph[""]
    rows = [
        row(f"{first}: queries a CPU-second, in batches", plain["rate"], 5000),
        row(f"{first}: recall@10 (wanted {CASES['graph'][2].recall})", plain["recall"], 0.98),
        row(f"{first}: CPU-milliseconds of a query alone", graph["single_ms"], None),
        row(f"{first}: CPU-seconds to build", graph["build_cpu_s"], None),
        *filtered(first, graph),
        row(f"{second}: CPU-seconds to build", cells["build_cpu_s"], 120, most=True),
        row(f"{second}: peak MB, the vectors given included", cells["peak_mb"], 2048, most=True),
        row(f"{second}: queries a CPU-second, in batches", cells[""]["rate"], None),
        row(f"{second}: recall@10 (wanted {CASES['cells'][2].recall})", cells[""]["recall"], 0.98),
        *filtered(second, cells),
    ]
    peer = {"peer": shown(graph["flat"]), "ratio": f"{plain['exact'] / graph['flat']:.2f}"}
    what = "exact, 200,000 × 128: queries a CPU-second, in batches, against faiss FlatIP"
    rows.append(row(what, plain["exact"], None) | peer)
    rows.append(row("exact, 1,000,000 × 64: the same", cells[""]["exact"], None))
    result = {"name": "index", "rows": rows, "cases": found, **environment()}
    files.write_json(ROOT / "results" / "bench-index.json", result)
    print("\n".join(f"{one['what']}: {one['ours']}" for one in rows))


def filtered(what: str, found: dict[str, Any]) -> list[dict[str, object]]:
    """Rows of both filters."""
    return [
        one
        for name, words in (("drawn", "drawn by lot"), ("one direction", "all in one direction"))
        for one in (
            row(f"{what}, a tenth allowed, {words}: recall@10", found[name]["recall"], 0.95),
            row(f"{what}, the same: queries a CPU-second", found[name]["rate"], None),
        )
    ]


def measured(name: str) -> dict[str, Any]:
    """One case in a fresh process."""
    done = subprocess.run(
        [sys.executable, __file__, name], stdout=subprocess.PIPE, text=True, check=True
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    print(name, figures, flush=True)
    return figures


def row(what: str, ours: float, bar: float | None, most: bool = False) -> dict[str, object]:
    """A row without a peer; the bar is the least, or the most, that is good."""
    met = None if bar is None else bool(ours <= bar if most else ours >= bar)
    target = None if bar is None else f"{'≤' if most else '≥'} {bar:,}"
    return {"what": what, "ours": shown(ours), "peer": None, "ratio": None, "target": target,
            "met": met}  # fmt: skip


def shown(value: float) -> float:
    """Without needless digits."""
    return round(value, 4) if value < 1 else round(value, 1)


if __name__ == "__main__":
    main()
