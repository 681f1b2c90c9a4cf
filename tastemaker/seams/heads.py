"""Models whose heads have names that people know, and how they are steered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tastemaker.seams.recommending import Recommender

if TYPE_CHECKING:
    from torch import Tensor

    from tastemaker.data.contexts import Contexts


@dataclass(frozen=True, eq=False)
class Steering:
    """Which heads of a model may speak for a user, and which are favoured."""

    active: Tensor
    """(H,) bool"""
    boosts: Tensor | None = None
    """(H,) added to what a head gives its items, in shares of the range of a user's scores"""


@dataclass(frozen=True, eq=False)
class HeadFacts:
    """What each head learned from, and what it may answer with."""

    items: Tensor
    """(H,) int64 items it knows"""
    targets: Tensor
    """(H,) int64 training targets it learned from, in an epoch"""
    weights: Tensor
    """(H,) share of the loss; they sum to 1"""
    parameters: int
    """of the heads and what chooses between them, without the model that they stand on"""
    other: Mapping[str, tuple[int, int, str]] = field(default_factory=dict)
    """axis → its members in no group but `other`, of how many, and what they are; if any are"""


@runtime_checkable
class Headed(Recommender, Protocol):
    """A model whose heads have names that people know."""

    @property
    def head_names(self) -> tuple[str, ...]:
        """(H,) what each head is called, such as `short-term · Sci-Fi`."""

    @property
    def intents(self) -> Mapping[str, tuple[str, ...]]:
        """Axis → names of its groups, by which heads can be asked for."""

    def heads_of(self, axis: str, group: int) -> Tensor:
        """(H,) bool heads of one group of an axis."""

    def head_facts(self, train: Contexts) -> HeadFacts:
        """What heads learned of training events, one row a user, and what they know."""

    def spoken(
        self, contexts: Contexts, steering: Steering | None = None, span: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(B, I) scores as steered, and (B, I) int64 head that speaks for each item; −1: none.

        `span` (B,) is by how much scores differ that the steering's boosts are shares of.
        """
