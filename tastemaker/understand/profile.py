"""Profile: what a user likes, counted from what they did; no language model takes part.

An interest is a named group of items, such as a category, of which the user chose something. It is
judged by the newest items that the user met there, its evidence, with the thresholds by which the
interests that a model writes are verified (`groundedness`); a dislike by the same, with yes and no
changed about. What is this user's rather than everybody's stands first (`everybody`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Literal

import numpy as np

from tastemaker.counts import by_count, counted
from tastemaker.data.contexts import Int64s
from tastemaker.data.declaration import POLARITIES, SAID, Polarity, is_positive
from tastemaker.data.groupings import OTHER
from tastemaker.data.signals import UserSignals
from tastemaker.files import JsonObject
from tastemaker.understand.everybody import YES, Everybody
from tastemaker.understand.groundedness import Thresholds, verified

EVIDENCE = 10
"""Newest items of a group that judge it: thresholds are numbers of items, made for a short list."""
OWN = 2.0
"""Strength from which an interest is the user's own: beyond it one of twenty lies by chance."""
CLEAR = 2
"""Items against a group for each one for it, from which a dislike is clear."""

Verdict = Literal["verified", "too little", "mixed"]


@dataclass(frozen=True)
class Proof:
    """One item of the evidence."""

    item: str
    """the user's own item id"""
    title: str
    polarities: tuple[Polarity, ...]
    """all that the user said of it"""

    @property
    def positive(self) -> bool:
        """Whether the user ever chose it."""
        return any(map(is_positive, self.polarities))


@dataclass(frozen=True)
class CountedInterest:
    """A group of items that the user likes, or dislikes, and what says so."""

    name: str
    verdict: Verdict
    """whether the evidence is enough; `mixed`: it would be, were there not as much against it"""
    counts: Mapping[Polarity, int]
    """distinct items of the whole history, by polarity that the data set has"""
    evidence: Mapping[Polarity, int]
    """the same among the newest items of the group, which the verdict was counted over"""
    items: tuple[Proof, ...]
    """those of the newest items that speak for it, newest first"""
    against: tuple[Proof, ...]
    """those that speak against it, newest first"""
    share: float
    """of the user's chosen items, those of this group, 0 to 1"""
    others: float
    """the same of everybody else's"""
    lift: float | None
    """`share` over `others`; None where nobody else chose any"""
    strength: float
    """standard errors between the user and everybody else; above 0: the user has more of it"""
    sentence: str = ""
    """what a language model says of it; no count or verdict depends on that"""
    cited: tuple[Proof, ...] = ()
    """items of the user that the model says it is about"""

    @property
    def own(self) -> bool:
        """Whether it tells this user from others, hardly by chance."""
        return self.strength >= OWN


@dataclass(frozen=True)
class Profile:
    """What is known of one user."""

    user: str
    known: bool
    """whether the data have this user"""
    kinds: tuple[Polarity, ...] = ()
    """polarities that the data set has"""
    counts: Mapping[Polarity, int] = field(default_factory=dict)
    """distinct items of the user, by polarity"""
    items: int = 0
    """distinct items of the user"""
    interests: tuple[CountedInterest, ...] = ()
    """verified ones first, of these the user's own first"""
    dislikes: tuple[CountedInterest, ...] = ()
    """what the evidence speaks against as clearly as it would have to speak for an interest"""
    notes: tuple[str, ...] = ()
    """what limits what can be said, a sentence each"""
    rule: str = ""
    """what verifies an interest"""
    summary: str = ""
    """what a language model says of the user"""
    model: str = ""
    """the language model; empty: none was asked"""

    def first(self, interests: int) -> Profile:
        """The same with no more than so many interests and dislikes."""
        return replace(
            self, interests=self.interests[:interests], dislikes=self.dislikes[:interests]
        )

    def to_json(self) -> JsonObject:
        """The profile as JSON values."""
        own = [{"own": one.own} for one in (*self.interests, *self.dislikes)]
        values = asdict(self)
        for interest, more in zip((*values["interests"], *values["dislikes"]), own, strict=True):
            interest.update(more)
        return values


def profile(
    user: UserSignals, everybody: Everybody, thresholds: Thresholds | None = None
) -> Profile:
    """What a user likes and dislikes.

    Args:
        user: What they did, in the log that `everybody` was counted from.
        everybody: All users of that log.
        thresholds: How much evidence is enough; default: those of the paper.
    """
    met = list(user.items)
    said = [[kind in user.items[item] for kind in POLARITIES] for item in met]
    seen = np.array(said, bool).reshape(-1, len(POLARITIES))
    chosen = int(seen[:, :YES].any(1).sum())
    likes: list[CountedInterest] = []
    dislikes: list[CountedInterest] = []
    named: set[int] = set()
    for group, inside in _groups(everybody, met).items():
        named.update(inside)
        newest = seen[inside[:EVIDENCE]].sum(0)
        verdict, against = judged(newest, user.kinds, thresholds)
        if not (against or seen[inside, :YES].any()):
            continue
        proofs = [_proof(user, everybody, met[row]) for row in inside[:EVIDENCE]]
        interest = CountedInterest(
            everybody.grouping.names[group],
            "verified" if against else verdict,
            _by_kind(user.kinds, seen[inside].sum(0)),
            _by_kind(user.kinds, newest),
            tuple(proof for proof in proofs if proof.positive != against),
            tuple(proof for proof in proofs if proof.positive == against),
            *everybody.compared(group, int(seen[inside, :YES].any(1).sum()), chosen),
        )
        (dislikes if against else likes).append(interest)
    likes.sort(key=lambda one: (one.verdict != "verified", -one.strength, one.name))
    dislikes.sort(key=lambda one: (len(one.against) - len(one.items), one.strength, one.name))
    known = (user.user, True, user.kinds, _by_kind(user.kinds, seen.sum(0)), len(met))
    notes, rule = tuple(_notes(user, len(met) - len(named))), rule_of(user.kinds, thresholds)
    return Profile(*known, tuple(likes), tuple(dislikes), notes, rule)


def judged(
    counts: Int64s, kinds: Sequence[Polarity], thresholds: Thresholds | None = None
) -> tuple[Verdict, bool]:
    """The verdict on an interest, and whether its evidence proves a dislike.

    Args:
        counts: (4,) distinct items of the evidence, in the order of `POLARITIES`.
        kinds: Polarities that the data set has.
        thresholds: Default: those of the paper.
    """
    yes, no = int(counts[:YES].sum()), int(counts[YES:].sum())
    if verified(counts, kinds, thresholds):
        return "verified", False
    alone = np.where(np.arange(len(POLARITIES)) < YES, counts, 0)
    enough = bool(verified(alone, kinds, thresholds))
    mirror = dict(zip(POLARITIES, POLARITIES[::-1], strict=True))
    opposite = [mirror[kind] for kind in kinds]
    against = no >= CLEAR * yes and bool(verified(counts[::-1], opposite, thresholds))
    return ("mixed" if enough else "too little"), against


def rule_of(kinds: Sequence[Polarity], thresholds: Thresholds | None = None) -> str:
    """What verifies an interest, as a sentence for the user."""
    thresholds = thresholds or Thresholds()
    ways = [
        " and ".join(f"{number:,} {SAID[kind]}" for kind, number in arm.items())
        for arm in thresholds.enough(kinds)
    ]
    limits = [f"{most:,} {SAID[kind]}" for kind, most in thresholds.limits(kinds).items()]
    if not ways:
        return ""
    rule = f"Verified: of the newest {EVIDENCE} items of a group, at least {', or '.join(ways)}"
    return rule + (f"; and at most {' and '.join(limits)}." if limits else ".")


def _groups(everybody: Everybody, met: Sequence[str]) -> dict[int, list[int]]:
    """Named group → places of its items among those that a user met, newest first."""
    table, names = everybody.grouping.membership, everybody.grouping.names
    found: dict[int, list[int]] = {}
    for place, item in enumerate(met):
        row = everybody.codes[item] - 1
        for group in table.indices[table.indptr[row] : table.indptr[row + 1]].tolist():
            if names[group] != OTHER:
                found.setdefault(group, []).append(place)
    return found


def _proof(user: UserSignals, everybody: Everybody, item: str) -> Proof:
    said = user.items[item]
    title = everybody.titles[everybody.codes[item] - 1]
    return Proof(item, title, tuple(kind for kind in POLARITIES if kind in said))


def _by_kind(kinds: Sequence[Polarity], counts: Int64s) -> dict[Polarity, int]:
    return {
        kind: int(number) for kind, number in zip(POLARITIES, counts, strict=True) if kind in kinds
    }


def _notes(user: UserSignals, nameless: int) -> list[str]:
    """What limits what can be said of a user."""
    notes = []
    if len(user.kinds) < 2:
        what = SAID[user.kinds[0]] if user.kinds else "nothing"
        notes.append(
            f"Every event of this log says the same ({what}), so nothing tells likes from "
            "dislikes, and interests are verified by numbers alone. If the log knows more, declare "
            "it in dataset.json (events, value.bands)."
        )
    elif not any(kind.endswith("negative") for kind in user.kinds):
        notes.append("No event of this log says no, so dislikes are not known.")
    if 0 < nameless < len(user.items):
        notes.append(
            f"{nameless:,} of {counted(len(user.items), 'item')} "
            f"{by_count(nameless, 'is', 'are')} in no named group."
        )
    return notes
