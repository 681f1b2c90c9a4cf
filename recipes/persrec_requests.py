"""What a request costs in each arm of the recipe on compressed histories, counted and measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from persrec_variants import KeptKeys

from tastemaker.data.batches import last
from tastemaker.data.contexts import Contexts
from tastemaker.nn.next_item import NextItemModel
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_cost import cost_of
from tastemaker.recommend.persrec_layout import split_rows
from tastemaker.recommend.persrec_shape import PerSRecConfig


def multiply_adds(shape: PerSRecConfig) -> dict[str, Any]:
    """Arm → cost of a request by the formula."""
    cost, raw = cost_of(shape), cost_of(replace(shape, tokens=shape.old))
    few = cost_of(replace(shape, old=0, recent=shape.recent + shape.tokens, tokens=0))
    return spread(cost.full, raw.cached, few.full, cost.cached, cost.compression)


def spread(full: float, raw: float, few: float, cached: float, once: float) -> dict[str, Any]:
    """Arm → cost of a request; COMPRESS with 1, 1/10 and none of a compression."""
    shared = [cached + once, cached + once / 10, cached]
    return {"FULL": [full], "FULL-KV": [raw], "RECENT+k": [few], "COMPRESS": shared,
            "POOL": [cached]}  # fmt: skip


@torch.inference_mode()
def requests(
    kept: KeptKeys, few: NextItemModel, compress: PerSRec, contexts: Contexts, runs: int = 200
) -> tuple[dict[str, Any], str]:
    """CPU-milliseconds of requests one at a time, medians of turns; and all that in words.

    POOL is a request beside means that are kept as tokens are, and so costs what COMPRESS does.
    """
    batch = last(contexts.slice(0, 1), compress.config.history)
    newest = last(contexts.slice(0, 1), few.config.history)
    old, new = split_rows(batch, kept.recent)
    past, memory = kept.kept(old), compress.compress(old)
    calls: dict[str, Callable[[], object]] = {
        "FULL": lambda: kept.model.encode(batch),
        "FULL-KV": lambda: kept.asked(new, old.valid, past),
        "RECENT+k": lambda: few.encode(newest),
        "COMPRESS": lambda: compress.asked(new, memory),
        "a compression": lambda: compress.compress(old),
    }
    spent: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(20 + runs):
        for name, call in calls.items():
            began = time.process_time_ns()
            call()
            if turn >= 20:
                spent[name].append((time.process_time_ns() - began) / 1e6)
    took = {name: float(np.median(times)) for name, times in spent.items()}
    raw = sum(part.nbytes for pair in past.layers for part in pair)
    own = sum(part.nbytes for pair in memory.past.layers[1:] for part in pair)
    words = ", ".join(f"{name} {value:.2f}" for name, value in took.items())
    words = (
        f"CPU-ms of a request alone, without scoring: {words}; bytes kept of a user: "
        f"FULL-KV {raw:,}, COMPRESS {own + memory.state.nbytes:,}"
    )
    return spread(*took.values()), words
