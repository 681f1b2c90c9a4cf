"""What answers of a compressed history cost: the formula beside what is measured here."""

from __future__ import annotations

import math
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
from tastemaker.recommend.persrec_cost import Cost, cost_of, numbers_kept, numbers_raw
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
    formula, measured = cost_of(model.config), measured_ms(model, longest(saved))
    numbers, raw = numbers_kept(model.config), numbers_raw(model.config)
    memory = {"numbers": numbers, "bytes": 4 * numbers, "raw_keys_and_values": 4 * raw}
    return {
        "run": str(run),
        "cost": {"formula": _shown(formula), "measured": _shown(measured), "memory": memory,
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


def measured_ms(model: PerSRec, batch: Batch) -> Cost:
    """Median CPU-milliseconds of each way.

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

    return Cost(
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


def _shown(cost: Cost) -> JsonObject:
    return {
        **vars(cost),
        "share_of_full": cost.cached / cost.full,
        "amortised": {str(requests): cost.amortised(requests) for requests in SHARED},
        "break_even": cost.break_even if math.isfinite(cost.break_even) else None,
    }
