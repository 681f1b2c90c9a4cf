"""What a request costs in each arm of the recipe on compressed histories, counted and measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from persrec_variants import KeptKeys

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_cost import cost_of
from tastemaker.recommend.persrec_layout import split_rows
from tastemaker.recommend.persrec_shape import PerSRecConfig


def multiply_adds(shape: PerSRecConfig) -> dict[str, list[float]]:
    """Arm → cost of a request by the formula; COMPRESS with 1, 1/10 and none of a compression."""
    cost, raw = cost_of(shape), cost_of(replace(shape, tokens=shape.old))
    few = cost_of(replace(shape, old=0, recent=shape.recent + shape.tokens, tokens=0))
    return {
        "FULL": [cost.full],
        "FULL-KV": [raw.cached],
        "RECENT+k": [few.full],
        "COMPRESS": [cost.amortised(1), cost.amortised(10), cost.cached],
        "POOL": [cost.cached],
    }


@torch.inference_mode()
def requests(kept: KeptKeys, compress: PerSRec, contexts: Contexts, runs: int = 100) -> str:
    """CPU-milliseconds of requests one at a time, medians of turns, and what is kept of a user."""
    batch = last(contexts.slice(0, 1), compress.config.history)
    old, new = split_rows(batch, kept.recent)
    past, memory = kept.kept(old), compress.compress(old)
    calls: dict[str, Callable[[], object]] = {
        "FULL": lambda: kept.model.encode(batch),
        "FULL-KV": lambda: kept.asked(new, old.valid, past),
        "COMPRESS": lambda: compress.asked(new, memory),
        "a compression": lambda: compress.compress(old),
    }
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(runs):
        for name, call in calls.items():
            began = time.process_time_ns()
            call()
            spent[name].append((time.process_time_ns() - began) / 1e6)
    took = ", ".join(f"{name} {np.median(times):.2f}" for name, times in spent.items())
    raw = sum(part.nbytes for pair in past.layers for part in pair)
    few = sum(part.nbytes for pair in memory.past.layers[1:] for part in pair)
    return (
        f"CPU-ms of a request alone, without scoring: {took}; bytes kept of a user: "
        f"FULL-KV {raw:,}, COMPRESS {few + memory.state.nbytes:,}"
    )
