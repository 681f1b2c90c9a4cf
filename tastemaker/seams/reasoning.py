"""Models that think before they answer, and what is said of their thoughts in words of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tastemaker.seams.recommending import Recommender

if TYPE_CHECKING:
    from torch import Tensor

    from tastemaker.data.contexts import Contexts


@dataclass(frozen=True)
class Said:
    """What one verifier says of a thought: which groups the next item is of."""

    verifier: str
    """what it is called, such as `text`"""
    groups: tuple[tuple[str, float], ...]
    """the likeliest groups with their probability, the best first, at most 3"""
    uncertainty: float
    """its entropy in shares of the most there can be: 0 is sure, 1 knows nothing"""
    entropy: float
    """of all its groups, in nats"""
    trust: float
    """its share of the gate, from 0 to 1; those of a thought sum to 1"""


@dataclass(frozen=True)
class Thought:
    """One thought of a model about one user."""

    said: tuple[Said, ...]
    """what each verifier says; empty where nothing checks"""
    weight: float
    """w, how far it was drawn to what the verifiers point at, from 0 to 1"""
    moved: float
    """how far it moved for that, in shares of its own length: |r~ − r| / |r|"""


@runtime_checkable
class Reasoning(Recommender, Protocol):
    """A model that thinks before it answers, where it was made to."""

    @property
    def thinks(self) -> bool:
        """Whether it has thoughts at all; without, those of a row are none."""

    def thoughts(self, contexts: Contexts) -> list[tuple[Thought, ...]]:
        """The N thoughts about each row, in their order; all numbers finite."""

    def considered(self, contexts: Contexts, items: Tensor) -> list[list[Mapping[str, float]]]:
        """How likely the last thought makes the groups that some items are in.

        Args:
            contexts: B rows.
            items: (B, K) codes; 0 stands for none.

        Returns:
            For each row and each of its items `VERIFIER: GROUP` → probability; nothing where
            nothing checks, or the item is in no group.
        """
