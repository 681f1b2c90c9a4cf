"""Models that think before they answer, and what is said of their thoughts in words of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from tastemaker.seams.recommending import Recommender

if TYPE_CHECKING:
    from torch import Tensor

    from tastemaker.data.contexts import Contexts
    from tastemaker.data.queries import Queries


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


@dataclass(frozen=True)
class CheckFacts:
    """What one verifier did at one thought, on average over the rows asked."""

    accuracy: float | None
    """share of rows whose next item is in the group it thinks likeliest, of those whose next item
    is in any of its groups; None: there are none"""
    ahead: tuple[float, float] | None
    """95 % interval of that less the accuracy of always saying the group of most training events"""
    uncertainty: float
    """entropy over that of not knowing, from 0 to 1"""
    trust: float
    """its share of the gate; over the verifiers they sum to 1"""


@dataclass(frozen=True)
class StepFacts:
    """How one thought did, on average over the rows asked; None is what was not checked."""

    cosine: float | None = None
    """to the thought before; None: it is the first"""
    weight: float | None = None
    """how far it was drawn to its guidance, from 0 to 1"""
    moved: float | None = None
    """length of what was added to it, over its own"""
    guidance: float | None = None
    """length of its guidance, over its own"""
    gate_entropy: float | None = None
    """1: all verifiers are trusted alike; 0: one of them alone. None: there are not two."""
    checks: tuple[CheckFacts, ...] = ()
    """one a verifier"""


@dataclass(frozen=True)
class VerifierFacts:
    """What is known of a verifier whatever the thought."""

    name: str
    classes: int
    """groups that it tells apart"""
    rows: int
    """rows whose next item is in one of its groups"""
    majority: float | None
    """accuracy, on them, of always saying the group of most training events; None: no rows"""
    rise: tuple[float, float] | None
    """95 % interval of its accuracy at the last thought less that at the first; None: there are not
    two thoughts"""


@dataclass(frozen=True)
class ReasoningFacts:
    """How the thoughts of a model did on rows whose next item is known."""

    rows: int
    steps: tuple[StepFacts, ...]
    """one a thought"""
    verifiers: tuple[VerifierFacts, ...]
    """none where nothing is checked"""


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

    def reasoning_facts(self, queries: Queries, train: Contexts) -> ReasoningFacts:
        """How thoughts do where the (first) next item is known, as the model stands.

        Args:
            queries: At least one row.
            train: Training events, one row a user.
        """
