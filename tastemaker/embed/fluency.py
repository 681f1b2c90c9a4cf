"""How well a model tells what it should: perplexity of held-out answers, and answers word by word.

A model gives the sum of the cross-entropy of each answer's tokens and their number. The value of
an answer is scaled by the tokens of a mean answer, so that the mean over answers is that over all
tokens, and its exponential the perplexity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput

Floats = npt.NDArray[np.float64]


def log_losses(sums: npt.ArrayLike, tokens: npt.ArrayLike) -> Floats:
    """(N,) loss of each answer in tokens of a mean answer; their mean is the log of perplexity.

    Args:
        sums: (N,) summed cross-entropy of each answer's tokens, in nats.
        tokens: (N,) how many tokens each answer has.

    Raises:
        BadInput: If there are no answers or an answer has no tokens.
    """
    total, many = np.asarray(sums, np.float64), np.asarray(tokens, np.float64)
    if not total.size or total.shape != many.shape or not (many > 0).all():
        what = f"{total.size:,} losses and {many.size:,} lengths say nothing of answers."
        raise BadInput(what, "answers", "Give a loss and one token or more for every answer.")
    scaled: Floats = total / many.mean()
    return scaled


def perplexity(sums: npt.ArrayLike, tokens: npt.ArrayLike) -> float:
    """Exponential of the mean loss of all tokens; infinite beyond what a float holds."""
    mean = float(log_losses(sums, tokens).mean())
    return math.exp(mean) if mean < math.log(1.7e308) else math.inf


def exact(written: Sequence[str], right: Sequence[str]) -> Floats:
    """(N,) 1 where an answer has the words of the right one, whatever stands between them."""
    return np.array(
        [float(a.split() == b.split()) for a, b in zip(written, right, strict=True)], np.float64
    )
