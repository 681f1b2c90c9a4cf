"""Models that others made, and the index of vectors: what encodes, what writes, what finds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from tastemaker.data.contexts import Int64s
    from tastemaker.data.replies import Conversations, Reply

    Float32s = npt.NDArray[np.float32]


class Encode(Protocol):
    """Turns content into vectors; equal identities give equal vectors."""

    @property
    def identity(self) -> str:
        """Hex sha256 that names the weights and every option that changes a vector."""

    @property
    def dim(self) -> int:
        """D, the length of a vector."""

    def __call__(self, inputs: Sequence[Any]) -> Float32s:
        """Vectors of N inputs, in their order: (N, D), finite."""


class Generate(Protocol):
    """A language model that answers; equal identities and arguments stand for equal replies."""

    identity: str

    def __call__(
        self, conversations: Conversations, n: int, temperature: float, max_tokens: int, seed: int
    ) -> list[list[Reply]]:
        """`n` replies to each conversation; one that failed says why, and fails no other."""


class Index(Protocol):
    """Vectors by number, searched by inner product; implementations may be approximate."""

    @property
    def dim(self) -> int:
        """D, the length of a vector."""

    def __len__(self) -> int:
        """Vectors that can be found, N."""

    def add(self, ids: Int64s, vectors: Float32s) -> None:
        """Take in (n, D) finite vectors under (n,) ids from 0 on, all new; else BadInput."""

    def remove(self, ids: Int64s) -> None:
        """Let go of vectors; BadInput if an id is not there, or given twice."""

    def search(
        self, queries: Float32s, k: int, allow: Int64s | None = None
    ) -> tuple[Int64s, Float32s]:
        """(Q, k) ids and inner products, the largest first, equal ones by the lower id.

        One that approximates may miss some of the best; its scores are exact. Of all vectors, or
        those that `allow` names; where fewer than k are there, a row of (Q, D) finite queries ends
        in id -1 and score −inf.
        """

    def save(self, folder: Path) -> None:
        """Write it as an artefact at `folder`, which must not exist."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what `save` wrote, to equal answers; ArtefactError if it is damaged."""
