"""What recommends: what scores, what has vectors, what is fitted by counting, what runs hold."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, runtime_checkable

from tastemaker.seams.training import Trainable

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from tastemaker.data.batches import Batch
    from tastemaker.data.contexts import Contexts
    from tastemaker.data.ground import Ground


class Recommender(Protocol):
    """Anything that can score the catalogue for some users."""

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores; column j is item code j + 1, and −inf is never recommended.

        The tensor is the caller's to overwrite: no view of fitted tables.
        """


@runtime_checkable
class Placing(Protocol):
    """What knows items by vectors that are near each other where items are alike."""

    def item_vectors(self) -> Tensor:
        """(I, D) vectors; row j is item code j + 1."""


class Encoder(Recommender, Placing, Protocol):
    """A recommender whose score is a dot product, so that an index can search it."""

    def encode(self, batch: Batch) -> Tensor:
        """(B, D) state at the last real position; zero for an empty history."""

    def item_vectors(self) -> Tensor:
        """(I, D) vectors whose dot product with `encode` is the score."""


class Counting(Recommender, Protocol):
    """A recommender that is fitted by counting."""

    KNOBS: ClassVar[dict[str, tuple[float, ...]]]
    """What can be set: values worth trying, the default first."""

    @classmethod
    def fit(cls, contexts: Contexts, num_items: int, **set_to: float) -> Self:
        """Count the training events, one row a user; `set_to` names knobs."""

    def tensors(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """What to save."""

    @classmethod
    def from_tensors(cls, saved: Any) -> Self:
        """The model as it was saved, its parts checked."""


class Shape(Protocol):
    """The options of a model: a frozen dataclass of JSON values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def dim(self) -> int:
        """Width of most of its matrices, by which threads pay or not."""

    @property
    def history(self) -> int:
        """Newest events of a user that are read."""

    def suited(self, num_items: int, times: bool = True) -> Self:
        """The same for a catalogue of I items and a log with times or in order alone."""

    def foreign(self) -> dict[str, str]:
        """Option → the model on this machine that it names."""


class Learned(Recommender, Trainable, Protocol):
    """A trained model of a run, an `nn.Module`: all that a run knows of it, whatever it is."""

    @property
    def config(self) -> Shape:
        """Its options."""

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model that its own options shape, with fresh weights."""

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it; nothing is allocated that the files do not hold."""

    def save(self, run: Path) -> None:
        """Write its weights and whatever else opening it needs."""

    def train(self, mode: bool = True) -> Self:
        """Ready to learn or, with False, to score."""


@runtime_checkable
class Growing(Protocol):
    """A trained model that can go on with more items than it has seen."""

    def grown(self, ground: Ground) -> Self:
        """The same model for more items, whose codes stand behind those that it knows.

        Args:
            ground: All items and training events, those that it knows among them; the codes of
                users and of kinds of event are those of this log.

        Raises:
            ValueError: If there are fewer items than it knows.
            BadInput: If what it learned cannot go on with this ground: train afresh.
        """
