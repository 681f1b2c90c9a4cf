"""Which items of a run are alike: by the vectors of its model, else by who chose them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch

from tastemaker.data.interactions import Interactions
from tastemaker.errors import BadInput
from tastemaker.recommend.item_facts import collaborative_vectors
from tastemaker.run.spread import Vectors, unit
from tastemaker.run.user_lists import rows_of
from tastemaker.seams import Learned, Placing


@dataclass(frozen=True, eq=False)
class Likeness:
    """Vectors of items, made when they are first asked for."""

    make: Callable[[], npt.NDArray[np.floating]]

    @cached_property
    def vectors(self) -> Vectors:
        """(I, D) of length one, near each other where items are alike; zero: nothing is known.

        Raises:
            BadInput: If nothing is known of any item.
        """
        vectors = unit(self.make())
        if not vectors.any():
            fix = "Leave it out, or train a model that knows items by vectors, such as sasrec."
            raise BadInput("Nothing says which items of this run are alike.", "--diversify", fix)
        return vectors


def likeness_of(neural: Learned, log: Interactions) -> Likeness:
    """Which items of a log are alike, as a trained model has them or, without, as users chose."""
    return Likeness(lambda: _placed(neural, log))


@torch.inference_mode()
def _placed(neural: Learned, log: Interactions) -> npt.NDArray[np.floating]:
    if not isinstance(neural, Placing):
        return collaborative_vectors(rows_of(log, np.arange(log.num_users)), log.num_items)
    neural.train(False)
    vectors: npt.NDArray[np.floating] = neural.item_vectors().float().cpu().numpy()
    return vectors
