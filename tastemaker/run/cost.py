"""What answers of a compressed history cost: the formula beside what is measured here."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from tastemaker.data.batches import Batch, last
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.nn.view import View
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_cost import cost_of
from tastemaker.recommend.persrec_layout import split_rows
from tastemaker.run.saved import SavedRun, open_run

WARM, TIMED = 5, 30
SHARED = (1, 10, 100)
"""Requests that share a compression."""


def evaluate_cost(run: str | Path) -> JsonObject:
    """What one request costs a run of PerSRec, by the formula and by the clock.

    Returns:
        `cost`: `formula` in multiply-adds and `measured` in CPU-milliseconds, each with `full`,
        `cached`, `compression`, `amortised` over some numbers of requests and `break_even`; and
        `memory`, what is kept of a user.

    Raises:
        BadInput: If the run has another model.
    """
    saved = open_run(run)
    model = saved.models.neural
    if not isinstance(model, PerSRec):
        what = f"The model of this run, {saved.models.neural_name}, compresses no history."
        data = saved.config.get("data", "DATA")
        fix = f"Train one that does: tastemaker train persrec --data {data}."
        raise BadInput(what, "--cost", fix)
    cost = cost_of(model.config)
    formula = _shared(cost.full, cost.cached, cost.compression)
    measured = _shared(*measured_ms(model, longest(saved)))
    numbers = cost.numbers
    raw = model.config.backbone.layers * 2 * model.config.old * model.config.dim
    memory = {"numbers": numbers, "bytes": 4 * numbers, "raw_keys_and_values": 4 * raw}
    return {
        "run": str(run),
        "cost": {"formula": formula, "measured": measured, "memory": memory,
                 "layout": {"old": model.config.old, "recent": model.config.recent,
                            "tokens": model.config.tokens, "parts": model.config.parts}},
    }  # fmt: skip


def longest(saved: SavedRun) -> Batch:
    """The longest history of a run, repeated until it is as long as the model reads."""
    log, history = saved.interactions, saved.models.neural.config.history
    user = int(np.argmax(log.lengths))
    row = saved.context(log.user_ids[user])
    whole = last(row, history)
    return filled_up(whole, history)


def filled_up(batch: Batch, history: int) -> Batch:
    """One row of `history` events, those of the batch again and again."""
    index = torch.arange(history) % batch.items.shape[1]
    times = None if batch.times is None else batch.times[:, index].sort(1).values
    items = batch.items[:, index]
    return Batch(items, torch.ones_like(items, dtype=torch.bool), torch.arange(history), times)


def measured_ms(model: PerSRec, batch: Batch) -> tuple[float, float, float]:
    """Median CPU-milliseconds of a full pass, of a cached request and of a compression.

    Args:
        model: The model.
        batch: One row of P + R events.
    """
    model.train(False)
    batch = batch.to(model.tokens.device)
    old, recent = split_rows(batch, model.layout.recent)
    memory = model.compress(old)
    newest = batch.valid.sum(1) - 1

    def full() -> Tensor:
        return model.backbone.states(batch, View(newest=newest))

    return (
        _median_ms(full),
        _median_ms(lambda: model.asked(recent, memory)),
        _median_ms(lambda: model.compress(old).state),
    )


@torch.inference_mode()
def _median_ms(call: Callable[[], Tensor]) -> float:
    spent = []
    for number in range(WARM + TIMED):
        began = time.process_time_ns()
        call()
        if number >= WARM:
            spent.append((time.process_time_ns() - began) / 1e6)
    return statistics.median(spent)


def _shared(full: float, cached: float, compression: float) -> JsonObject:
    return {
        "full": full,
        "cached": cached,
        "compression": compression,
        "share_of_full": cached / full,
        "amortised": {str(q): cached + compression / q for q in SHARED},
        "break_even": compression / (full - cached) if full > cached else None,
    }
