"""What a silo holds of a log, as a client; and how good a model is for each silo."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tastemaker.data.batches import NextItemBatches
from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput
from tastemaker.federate.next_item import FederatedItems
from tastemaker.federate.privacy import bucketed
from tastemaker.metrics.evaluate import EvalOptions, evaluate

if TYPE_CHECKING:
    from tastemaker.seams import Recommender
    from tastemaker.seams.federating import Tensors


@dataclass(frozen=True, eq=False)
class SiloData:
    """Training events of a silo's users, or of a server's panel; implements `ClientData`."""

    train: Contexts
    """a row a user; items by the codes of the shared catalogue"""
    model: FederatedItems
    """says how long histories are, and how many negatives are drawn"""
    most: int = 100
    """that an item is said to have been seen; exact counts of popular ones tell too much"""
    blurred: bool = False
    """round counts down to powers of two as well"""

    @cached_property
    def examples(self) -> int:
        """Next items to learn from."""
        return self.batches(1, 0).targets

    def batches(self, rows: int, seed: int) -> NextItemBatches:
        """Steps of `rows` full histories each."""
        return self.model.batches(self.train, rows, seed)

    def seen(self) -> Tensors:
        """For the item table, (I+1,) int64 how often each item was seen, up to `most`."""
        counts = np.bincount(self.train.items, minlength=self.model.model.num_items + 1)
        told = torch.from_numpy(counts.clip(max=self.most))
        return dict.fromkeys(self.model.by_row, bucketed(told) if self.blurred else told)


def across(
    queries: Mapping[str, Queries],
    candidates: npt.NDArray[np.bool_] | None = None,
    private: Callable[[str], Tensors] | None = None,
) -> Callable[[nn.Module], dict[str, float]]:
    """Full ranking for the users of every silo: means over silos, and the worst one.

    Args:
        queries: Silo → what its users are asked, each with one next item; a silo without queries
            is passed over.
        candidates: (I,) items that may be recommended; None: all.
        private: Silo → weights of its own, with which it asks, such as `InProcess.private`.

    Returns:
        A measure of models: `accuracy` (HR@10) and `ndcg@10` as means over silos, each silo alike,
        `worst_client` and `worst_ndcg@10` of the worst silo.

    Raises:
        BadInput: If no silo has queries.
    """
    asked = {name: one for name, one in queries.items() if len(one)}
    if not asked:
        raise BadInput("No silo has a query.", "silos", "Give users with three events or more.")
    options = EvalOptions(ks=(10,), candidates=candidates)

    def measure(model: nn.Module) -> dict[str, float]:
        scored = cast("Recommender", model)
        hits, gains = [], []
        held = {name: one.clone() for name, one in model.state_dict().items()} if private else {}
        for name, one in asked.items():
            model.load_state_dict({**held, **private(name)} if private else held, strict=False)
            told = evaluate(scored, one, options)
            hits.append(told.mean("hr@10"))
            gains.append(told.mean("ndcg@10"))
        model.load_state_dict(held, strict=False)
        return {
            "accuracy": float(np.mean(hits)),
            "worst_client": min(hits),
            "ndcg@10": float(np.mean(gains)),
            "worst_ndcg@10": min(gains),
        }

    return measure
