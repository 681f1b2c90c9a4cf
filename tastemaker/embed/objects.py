"""Does a model see what is there? Yes-or-no questions about objects, and what captions claim.

Questions as POPE asks them: half about what is there, half about what is not, yes being positive.
A model that says yes to all has a recall of 1, so the share of yes stands beside. Captions: a
thing that is claimed and is not there, or claimed once too often, is hallucinated; a caption that
cannot be read claims nothing. Classes together as in THRONE: F of .5, which weighs precision more.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.optimize import linear_sum_assignment

from tastemaker.errors import BadInput

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Thing = tuple[str, ...]
"""A name, then what is said of it, such as `("sneaker", "small", "top-left")`."""


def yes_or_no(answer: str) -> bool | None:
    """What an answer says, by its first word; None: neither."""
    word = re.match(r"\W*(\w+)", answer.casefold())
    return {"yes": True, "no": False}.get(word[1]) if word else None


@dataclass(frozen=True, eq=False)
class Answers:
    """Answers to questions about objects."""

    yes: Bools
    """(N,) said yes"""
    no: Bools
    """(N,) said no; who says neither is wrong"""
    truth: Bools
    """(N,) yes is right"""

    @property
    def right(self) -> Floats:
        """(N,) 1 where the answer is right."""
        return np.where(self.truth, self.yes, self.no).astype(np.float64)

    def measures(self) -> dict[str, float]:
        """Accuracy, precision, recall and F1 of yes, and the shares of yes and of neither."""
        hits = int((self.yes & self.truth).sum())
        precision, recall = _share(hits, self.yes.sum()), _share(hits, self.truth.sum())
        return {
            "accuracy": float(self.right.mean()),
            "precision": precision,
            "recall": recall,
            "f1": f_beta(precision, recall, 1.0),
            "yes_rate": float(self.yes.mean()),
            "neither": float((~self.yes & ~self.no).mean()),
        }


def answers(written: Sequence[str], truth: Sequence[bool]) -> Answers:
    """Read what a model wrote.

    Raises:
        BadInput: If there are no answers, or not one to each question.
    """
    if not written or len(written) != len(truth):
        what = f"{len(written):,} answers to {len(truth):,} questions."
        raise BadInput(what, "answers", "Give an answer to every question.")
    said = [yes_or_no(answer) for answer in written]
    yes, no = (np.array([one is wanted for one in said]) for wanted in (True, False))
    return Answers(yes, no, np.asarray(truth, np.bool_))


@dataclass(frozen=True, eq=False)
class Told:
    """What captions say of what is there, a value a caption."""

    there: Floats
    """(N,) things in the picture"""
    claimed: Floats
    """(N,) things in the caption"""
    found: Floats
    """(N,) things of the caption that are there, whatever is said of them"""
    attributes: Floats
    """(N,) share, over things that are there, of what is rightly said of them; none if missed"""
    full: Floats
    """(N,) share of things that are there of which all is rightly said"""
    unread: Floats
    """(N,) 1 where the caption cannot be read"""

    @cached_property
    def recall(self) -> Floats:
        """(N,) share of things that are there that are claimed; 1 where nothing is there."""
        return np.where(self.there > 0, self.found / np.maximum(self.there, 1), 1.0)

    @cached_property
    def hallucinated(self) -> Floats:
        """(N,) things of the caption that are not there."""
        return self.claimed - self.found

    def measures(self) -> dict[str, float]:
        """Means over captions; precision is of all claims together."""
        return {
            "object_recall": float(self.recall.mean()),
            "object_precision": _share(self.found.sum(), self.claimed.sum()),
            "hallucinated": float(self.hallucinated.mean()),
            "attribute_accuracy": float(self.attributes.mean()),
            "full": float(self.full.mean()),
            "unread": float(self.unread.mean()),
        }


def told(claims: Sequence[Sequence[Thing] | None], truth: Sequence[Sequence[Thing]]) -> Told:
    """Compare captions with what is there; things of one name are paired to agree most.

    Args:
        claims: What each caption says; None: it cannot be read.
        truth: What is in each picture, each thing with as many attributes.

    Raises:
        BadInput: If there are no captions, or not one to each picture.
    """
    _check(claims, truth)
    rows = [_one(said or (), there) for said, there in zip(claims, truth, strict=True)]
    found, attributes, full = np.array(rows, np.float64).T
    there, claimed, unread = (
        np.array(values, np.float64)
        for values in (
            [len(one) for one in truth],
            [len(one or ()) for one in claims],
            [one is None for one in claims],
        )
    )
    return Told(there, claimed, found, attributes, full, unread)


def _one(said: Sequence[Thing], there: Sequence[Thing]) -> tuple[int, float, float]:
    """Things found, share of attributes that are right, share of things told in full."""
    if not said or not there:
        return 0, float(not there), float(not there)
    agreed = np.array([[_agreed(a, b) if a[0] == b[0] else -1.0 for b in there] for a in said])
    # Of pairings that agree as much, one with more things told in full.
    pairs = linear_sum_assignment(agreed + 1e-6 * (agreed == 1), maximize=True)
    paired = agreed[pairs]
    found = paired[paired >= 0]
    return len(found), found.sum() / len(there), (found == 1).sum() / len(there)


def _agreed(said: Thing, there: Thing) -> float:
    """Share of attributes that are the same; 1 where there are none."""
    same = [a == b for a, b in zip(said[1:], there[1:], strict=True)]
    return sum(same) / len(same) if same else 1.0


def class_wise(
    claims: Sequence[Sequence[Thing] | None], truth: Sequence[Sequence[Thing]], beta: float = 0.5
) -> dict[str, float]:
    """F of each class over captions: whether it is claimed where it is there, and only there.

    Args:
        claims: What each caption says; None: nothing.
        truth: What is in each picture.
        beta: How much recall weighs against precision.

    Returns:
        Class → F, of all classes that are there or claimed anywhere.
    """
    _check(claims, truth)
    hits: Counter[str] = Counter()
    claimed: Counter[str] = Counter()
    present: Counter[str] = Counter()
    for said, there in zip(claims, truth, strict=True):
        names, right = {one[0] for one in said or ()}, {one[0] for one in there}
        hits.update(names & right)
        claimed.update(names)
        present.update(right)
    return {
        name: f_beta(_share(hits[name], claimed[name]), _share(hits[name], present[name]), beta)
        for name in sorted(claimed | present)
    }


def f_beta(precision: float, recall: float, beta: float) -> float:
    """Weighted harmonic mean of precision and recall; 0 where both are."""
    below = beta**2 * precision + recall
    return (1 + beta**2) * precision * recall / below if below else 0.0


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0


def _check(claims: Sequence[object], truth: Sequence[object]) -> None:
    if not claims or len(claims) != len(truth):
        what = f"{len(claims):,} captions of {len(truth):,} pictures."
        raise BadInput(what, "captions", "Give a caption to every picture.")
