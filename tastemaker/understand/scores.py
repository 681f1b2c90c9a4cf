"""Scores: the interests of one user, checked and judged, become IG, IS and their harmonic mean.

    HM = 2 IG_F1 IS / (IG_F1 + IS), 0 if both are 0        score of a model = mean over its users

No interests: everything is 0. Without a taxonomy each interest is its own category. Without a judge
of line-ups IS and HM are not known in `strict` mode, and 0 in `reference` mode. Interests of no
category (`OTHER`) count in |C| though no oracle can hold it; `strict` mode reports both with and
without them. Users whom an oracle does not know are left out and counted.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from tastemaker.data.categories import fold
from tastemaker.data.signals import UserSignals
from tastemaker.understand.groundedness import (
    Category,
    Groundedness,
    Thresholds,
    groundedness,
    harmonic,
    shares_verified,
    verified,
)
from tastemaker.understand.interests import Interest, Mode
from tastemaker.understand.specificity import Picked, pick_precision, specificity
from tastemaker.understand.taxonomy import OTHER

SCORES = (
    "ig_p",
    "ig_r",
    "ig_r_raw",
    "ig_f1",
    "ig_f1_without_other",
    "is",
    "is_relevant",
    "pick_precision",
    "hm",
)
"""Names of scores, as tables show them."""


@dataclass(frozen=True)
class Checked:
    """One interest with its verdict."""

    interest: Interest
    category: Category
    """c(j)"""
    relevant: tuple[str, ...] | None
    """F_j; None: no answer about its evidence could be read, so the interest is failed"""
    counts: tuple[int, ...]
    """n(T) of the distinct items of F_j, in the order of `POLARITIES`"""
    verified: bool
    picked: Picked | None = None
    """what a judge picked of its line-up; None where there was no judge"""

    @property
    def failed(self) -> bool:
        """Whether its evidence, or the answer about it, could not be read."""
        return self.relevant is None


@dataclass(frozen=True)
class UserScore:
    """Scores of one user."""

    user: str
    interests: int
    """J"""
    failed: int
    """interests whose evidence, or the answer about it, could not be read"""
    ig: Groundedness
    """IG over all predicted categories"""
    ig_without_other: Groundedness
    """IG without the interests of no category"""
    specificity: float | None
    """IS over all cited items; None: no judge"""
    relevant_specificity: float | None
    """IS over the relevant items F_j; None: no judge"""
    pick_precision: float | None
    """share of all that the judge picked that is cited; None: it picked nothing"""
    hm: float | None
    """harmonic mean of IG_F1 and IS; None: no judge"""

    @property
    def numbers(self) -> dict[str, float | None]:
        """The scores by the name that tables show."""
        return dict(
            zip(
                SCORES,
                (
                    self.ig.precision,
                    self.ig.recall,
                    self.ig.raw_recall,
                    self.ig.f1,
                    self.ig_without_other.f1,
                    self.specificity,
                    self.relevant_specificity,
                    self.pick_precision,
                    self.hm,
                ),
                strict=True,
            )
        )


@dataclass(frozen=True)
class ModelScore:
    """Scores of a model: means over its users."""

    mode: Mode
    users: int
    """users that are scored"""
    excluded: tuple[str, ...]
    """ids of users whom the oracle does not know, left out"""
    failed: int
    """interests whose evidence, or the answer about it, could not be read, over all users"""
    means: dict[str, float | None]
    """name of a score → its mean over the users; None where it is not known of every user"""


def own_categories(interests: Sequence[Interest]) -> list[Category]:
    """Each interest as its own category, by its name: what counts without a taxonomy."""
    return [fold(interest.name) for interest in interests]


def check(
    user: UserSignals,
    interests: Sequence[Interest],
    categories: Sequence[Category],
    relevant: Sequence[Collection[str] | None] | None = None,
    thresholds: Thresholds | None = None,
) -> list[Checked]:
    """Verify one user's interests.

    Args:
        user: Whose interests they are.
        interests: As a model wrote them, joined by name.
        categories: (J,) c(j).
        relevant: (J,) cited items that a judge calls relevant, None where no answer was read;
            None for all: every cited item of the history is (judge-free).
        thresholds: Default: those of the paper.
    """
    answers = [interest.cited for interest in interests] if relevant is None else relevant
    checked = []
    for interest, category, answer in zip(interests, categories, answers, strict=True):
        read = answer is not None and not interest.problem
        inside = set(answer) if read and answer is not None else set()
        kept = tuple(item for item in interest.cited if item in user.items and item in inside)
        counts = user.counts(kept)
        verdict = bool(verified(counts, user.kinds, thresholds))
        numbers = tuple(int(number) for number in counts)
        checked.append(Checked(interest, category, kept if read else None, numbers, verdict))
    return checked


def score_user(
    user: str,
    checked: Sequence[Checked],
    known: Collection[Category] | int,
    judged: bool,
    mode: Mode = "strict",
) -> UserScore:
    """IG, IS and HM of one user.

    Args:
        user: Its id.
        checked: Its interests with their verdicts.
        known: O, the categories that the user is known to have, or only how many.
        judged: Whether a judge picked from line-ups; then an interest without picks has none right.
        mode: How they are counted.
    """
    named = [one for one in checked if one.category != OTHER]
    ig, ig_named = (_ig(several, known, mode) for several in (checked, named))
    share = relevant = precision = None
    if judged:
        precision = pick_precision(one.picked for one in checked if one.picked)
        share = _is(checked, [one.picked.share if one.picked else 0.0 for one in checked])
        relevant = _is(
            checked, [one.picked.relevant_share if one.picked else 0.0 for one in checked]
        )
    elif mode == "reference":
        share = 0.0
    hm = None if share is None else harmonic(ig.f1, share)
    failed = sum(one.failed for one in checked)
    return UserScore(user, len(checked), failed, ig, ig_named, share, relevant, precision, hm)


def score_model(
    scores: Sequence[UserScore], excluded: Sequence[str] = (), mode: Mode = "strict"
) -> ModelScore:
    """Means over users; a score that is not known of every user has none.

    `pick_precision` is the mean over the users of whose line-ups something was picked.
    """
    means: dict[str, float | None] = {}
    rows = [score.numbers for score in scores]
    for name in SCORES:
        values = [row[name] for row in rows]
        known = [value for value in values if value is not None]
        whole = len(known) == len(values) or name == "pick_precision"
        means[name] = float(np.mean(known)) if known and whole else None
    failed = sum(score.failed for score in scores)
    return ModelScore(mode, len(scores), tuple(excluded), failed, means)


def _ig(checked: Sequence[Checked], known: Collection[Category] | int, mode: Mode) -> Groundedness:
    verdicts = [one.verified for one in checked]
    return groundedness([one.category for one in checked], verdicts, known, mode)


def _is(checked: Sequence[Checked], shares: Sequence[float]) -> float:
    categories = [one.category for one in checked]
    verdicts = shares_verified(categories, [one.verified for one in checked])
    return specificity(categories, shares, verdicts)
