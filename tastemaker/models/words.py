"""Texts as vectors by the words in them, learnt from the texts alone: nothing need be installed.

Words and pairs of neighbouring words are counted, those that stand in many texts count less
(TF-IDF), and the largest axes of what remains are kept (truncated SVD, which makes it latent
semantic analysis). A text without a known word is zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput
from tastemaker.models.identity import identity_of

MOST_WORDS = 50_000
"""Words and pairs of words that are told apart; the most frequent ones."""


class Words:
    """Texts to vectors of length one, or zero; the seam `Encode`.

    Args:
        texts: What is learnt from; empty ones say nothing.
        dim: Length of a vector, or less where the texts have fewer words.
        seed: Of the method that finds the axes.

    Raises:
        BadInput: If there is no word in any text.
    """

    def __init__(self, texts: Sequence[str], dim: int = 128, seed: int = 0) -> None:
        # Half a second and 30 MB, which models that read no words need not pay.
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.utils.extmath import randomized_svd

        self._count = TfidfVectorizer(
            ngram_range=(1, 2), sublinear_tf=True, max_features=MOST_WORDS, dtype=np.float64
        )
        try:
            counted = self._count.fit_transform(texts)
        except ValueError:  # what is said of an empty vocabulary
            fix = "Give titles or texts with words, or another encoder."
            raise BadInput("There is no word in any text.", "the items table", fix) from None
        kept = min(dim, *counted.shape)
        _, _, axes = randomized_svd(counted, kept, n_iter=7, random_state=seed)
        self._axes: npt.NDArray[np.float64] = np.asarray(axes)
        self.dim = len(self._axes)
        """D"""
        vocabulary = sorted(self._count.vocabulary_.items())
        fitted = hashlib.sha256(repr([(word, int(at)) for word, at in vocabulary]).encode())
        fitted.update(self._count.idf_.tobytes() + self._axes.tobytes())
        self.identity = identity_of(fitted.hexdigest(), {"words": 1, "dim": dim, "seed": seed})
        """hex sha256 of what was learnt and the options"""

    def __call__(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        """Vectors of N texts: (N, D), in the order of `inputs`."""
        vectors = np.zeros((len(inputs), self.dim))
        if len(inputs):
            vectors = self._count.transform(inputs) @ self._axes.T
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        # What only rare words outside the axes say is rounding, and no direction.
        known = lengths > 1e-9
        return np.where(known, vectors / np.where(known, lengths, 1), 0).astype(np.float32)
