"""Evidence: what can be said of cited items without any judge.

Counting accuracy (`data.signals`) asks a model how many items of each polarity an interest cites,
and compares with the truth over its own cited ids. Citation validity is the share of cited ids that
exist. Threshold compliance is the share of interests that would be verified were every cited item
relevant (F_j = B_j).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tastemaker.data.contexts import Int64s
from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.data.signals import CountingAccuracy, UserSignals, counting_accuracy
from tastemaker.understand.groundedness import Thresholds, verified
from tastemaker.understand.interests import Interest

MOST_INTERESTS = 2
"""Interests that an item may prove."""


@dataclass(frozen=True)
class Evidence:
    """Interests of one or more users checked without a judge; every number can be summed."""

    interests: int
    """J"""
    failed: int
    """interests whose evidence could not be read"""
    compliant: int
    """interests that are verified where all cited items of the history are relevant"""
    cited: int
    """cited ids, those that could not be read among them"""
    existing: int
    """cited ids that are in the user's history"""
    typed: int
    """cited ids of the history for which a polarity is claimed"""
    typed_right: int
    """those that the user saw with that polarity"""
    items: int
    """distinct items that each user's interests cite, summed over users"""
    overused: int
    """those that more than two interests of a user cite"""
    differences: tuple[tuple[int, ...], ...]
    """claimed minus true numbers, by polarity of `kinds`, of each interest that claims numbers"""
    kinds: tuple[Polarity, ...]
    """polarities that the data set has"""

    @property
    def compliance(self) -> float:
        """Threshold compliance, 0 to 1; 0 without interests."""
        return self.compliant / self.interests if self.interests else 0.0

    @property
    def validity(self) -> float | None:
        """Citation validity: share of cited ids that exist; None where nothing is cited."""
        return self.existing / self.cited if self.cited else None

    @property
    def type_validity(self) -> float | None:
        """Share of claimed polarities that are right; None where none is claimed."""
        return self.typed_right / self.typed if self.typed else None

    @property
    def overuse(self) -> float | None:
        """Share of cited items that more than two interests cite; None where nothing is cited."""
        return self.overused / self.items if self.items else None

    @property
    def counting(self) -> dict[Polarity, CountingAccuracy]:
        """Counting accuracy by polarity; empty where no interest claims numbers."""
        return counting_accuracy(self.differences, self.kinds)


def true_counts(user: UserSignals, interests: Sequence[Interest]) -> Int64s:
    """(J, 4) distinct items of the history that each interest cites, in order of `POLARITIES`."""
    counts = [user.counts(interest.cited) for interest in interests]
    return np.array(counts, np.int64).reshape(-1, len(POLARITIES))


def check_evidence(
    user: UserSignals, interests: Sequence[Interest], thresholds: Thresholds | None = None
) -> Evidence:
    """Check one user's interests; a polarity that claimed numbers leave out is claimed to be 0."""
    counts = true_counts(user, interests)
    read = np.array([not interest.problem for interest in interests], bool)
    uses = Counter(item for interest in interests for item in set(interest.cited))
    typed = [
        kind in user.items[item]
        for interest in interests
        for item, kind in interest.types.items()
        if item in user.items and item in interest.cited
    ]
    columns = [POLARITIES.index(kind) for kind in user.kinds]
    differences = tuple(
        tuple(
            interest.claimed.get(kind, 0) - int(row[column])
            for kind, column in zip(user.kinds, columns, strict=True)
        )
        for interest, row in zip(interests, counts, strict=True)
        if interest.claimed is not None
    )
    return Evidence(
        interests=len(interests),
        failed=int((~read).sum()),
        compliant=int((verified(counts, user.kinds, thresholds) & read).sum()),
        cited=sum(len(interest.cited) + interest.unread for interest in interests),
        existing=sum(item in user.items for interest in interests for item in interest.cited),
        typed=len(typed),
        typed_right=sum(typed),
        items=len(uses),
        overused=sum(many > MOST_INTERESTS for many in uses.values()),
        differences=differences,
        kinds=user.kinds,
    )


def together(several: Sequence[Evidence]) -> Evidence:
    """The evidence of users of one data set as one; shares are then over all their interests."""
    first, *rest = several
    for one in rest:
        sums = {
            name: number + value
            for name, value in vars(one).items()
            if isinstance(number := vars(first)[name], int)
        }
        first = replace(first, **sums)
    return replace(first, differences=tuple(row for one in several for row in one.differences))
