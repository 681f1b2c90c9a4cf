"""Numbers scaled by what a server's examples say of them, the same for every client."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tastemaker.data.feature_columns import Float32s
from tastemaker.data.labelled import Form, TableForm

FARTHEST = 5.0
"""Value at which a scaled number is cut: the server may have seen few."""
_NORM = 4.0
"""Of the numbers of a row, about, at most: what the usual learning rates are for. Longer rows make
the squared difference of logits too steep for them."""


@dataclass(frozen=True)
class Scaling:
    """(x − mean) / deviation of each feature, cut at `FARTHEST`; of nothing: pictures as they are.

    Categories have mean 0 and deviation 1: they stay 0 and 1.
    """

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    def __call__(self, inputs: Float32s) -> Float32s:
        """(N, F) scaled, or pictures as they came."""
        if not self.mean:
            return inputs
        mean, deviation = (np.array(one, np.float32) for one in (self.mean, self.deviation))
        scaled: Float32s = np.clip((inputs - mean) / deviation, -FARTHEST, FARTHEST)
        return scaled


def scaling_of(form: Form, inputs: Float32s) -> Scaling:
    """What the server's examples say of the numbers among the features."""
    if not isinstance(form, TableForm) or not len(inputs):
        return Scaling()
    numbers = np.concatenate([[not some] * max(1, len(some))
                              for some in form.columns.categories.values()])  # fmt: skip
    mean, deviation = inputs.mean(0, dtype=np.float64), inputs.std(0, dtype=np.float64)
    usual = numbers & (deviation > 0)
    deviation *= max(1.0, np.sqrt(usual.sum()) / _NORM)
    return Scaling(
        tuple(np.where(numbers, mean, 0).tolist()), tuple(np.where(usual, deviation, 1).tolist())
    )
