"""Pictures found by captions and captions by pictures: recall among the first K, both ways.

A picture has one caption or several. It is found by any of its own; a caption finds the pictures
that own its text, and captions of equal text are the same answer, whoever owns them. A query's
rank is 1 + the wrong answers that score at least as high as its best right one, so ties count
against the model. Each query has a value; means come after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput

Floats = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]
Vectors = npt.NDArray[np.floating]
KS = (1, 5, 10)
TIE = 1e-6
"""Scores this near are equal: what one product in single precision may differ by from another."""
CELLS = 4_000_000
"""Scores held at a time."""


@dataclass(frozen=True, eq=False)
class Ranks:
    """The rank of each query's best right answer, from 1."""

    pictures: Int64s
    """(N,) of the captions that each picture finds"""
    texts: Int64s
    """(M,) of the pictures that each caption finds"""

    def hits(self, ks: Sequence[int] = KS) -> dict[str, Floats]:
        """Recall of each query: `i2t_recall@K` → (N,) and `t2i_recall@K` → (M,), each 0 or 1."""
        sides = {"i2t": self.pictures, "t2i": self.texts}
        return {
            f"{side}_recall@{k}": (ranks <= k).astype(np.float64)
            for side, ranks in sides.items()
            for k in ks
        }

    def recall(self, ks: Sequence[int] = KS) -> dict[str, float]:
        """Means of `hits`."""
        return {name: float(values.mean()) for name, values in self.hits(ks).items()}


def ranks(pictures: Vectors, texts: Vectors, owners: npt.ArrayLike, said: Sequence[str]) -> Ranks:
    """Rank the right answers of every picture and every caption among all of the other side.

    Args:
        pictures: (N, d) vectors; the score of two is their product.
        texts: (M, d) vectors.
        owners: (M,) which picture each caption is of; every picture has one at least.
        said: (M,) the captions; equal ones are right answers of each other's pictures.

    Raises:
        BadInput: If shapes do not agree, a picture has no caption, or a vector is not finite.
    """
    owned = np.asarray(owners, np.int64)
    _check(pictures, texts, owned, said)
    _, groups = np.unique(np.asarray(said, dtype=np.str_), return_inverse=True)
    owns = np.zeros((len(pictures), int(groups.max()) + 1), np.bool_)
    owns[owned, groups] = True
    by_picture = _ranks(pictures, texts, lambda some: owns[some][:, groups])
    by_text = _ranks(texts, pictures, lambda some: owns[:, groups[some]].T)
    return Ranks(by_picture, by_text)


def _ranks(
    queries: Vectors, answers: Vectors, right: Callable[[slice], npt.NDArray[np.bool_]]
) -> Int64s:
    """(Q,) ranks; `right` says for some queries which answers (some, A) are."""
    found = np.empty(len(queries), np.int64)
    rows = max(1, CELLS // len(answers))
    for start in range(0, len(queries), rows):
        some = slice(start, start + rows)
        scores, wanted = queries[some] @ answers.T, right(some)
        best = np.where(wanted, scores, -np.inf).max(1, keepdims=True)
        found[some] = 1 + ((scores >= best - TIE) & ~wanted).sum(1)
    return found


def _check(pictures: Vectors, texts: Vectors, owners: Int64s, said: Sequence[str]) -> None:
    flat = pictures.ndim == texts.ndim == 2 and pictures.shape[1] == texts.shape[1]
    many = len(texts)
    if not flat or owners.shape != (many,) or len(said) != many or not len(pictures):
        what = f"Pictures {pictures.shape}, texts {texts.shape}, {len(said):,} captions."
        fix = "Give vectors of one width, and an owner and a caption to each text."
        raise BadInput(what, "retrieval", fix)
    alone = np.setdiff1d(np.arange(len(pictures)), owners)
    if len(alone) or owners.min() < 0 or owners.max() >= len(pictures):
        what = f"Picture {alone[0]} has no caption." if len(alone) else "An owner is no picture."
        raise BadInput(what, "retrieval", "Give every picture one caption or more, and no others.")
    if not (np.isfinite(pictures).all() and np.isfinite(texts).all()):
        raise BadInput("A vector is not finite.", "retrieval", "Train with a lower learning rate.")
