"""Interest: what a model says a user likes, the items that it cites, and what it claims of them.

Interests of one name are one: those of the chunks of a history are joined by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tastemaker.data.categories import fold
from tastemaker.data.declaration import Polarity

Mode = Literal["strict", "reference"]
"""`reference`: as GISTBench's released program counts, for comparison; `strict`: its faults mended.
"""


@dataclass(frozen=True)
class Interest:
    """One interest as a model wrote it."""

    name: str
    cited: tuple[str, ...] = ()
    """B_j: distinct item ids, in the order in which they are cited; they need not exist"""
    unread: int = 0
    """entries of the evidence that are no ids, such as null or an object"""
    claimed: Mapping[Polarity, int] | None = None
    """items that the model says it cites, by polarity; None: it did not say"""
    types: Mapping[str, Polarity] = field(default_factory=dict)
    """cited id → the polarity that the model says it has"""
    excerpt: str = ""
    """what the model quotes as evidence"""
    rationale: str = ""
    """why the model thinks so"""
    problem: str = ""
    """why the evidence could not be read, so that the interest is failed; empty: it was read"""


def merge(chunks: Iterable[Sequence[Interest]], mode: Mode = "strict") -> list[Interest]:
    """Interests of several replies, those of one name joined; in the order first named.

    Ids are united, claimed counts added: chunks are parts of a history that share no event. Counts
    are None where a part that cites something claims none. A name is the same in any case and with
    any blanks (`strict`), or to the letter (`reference`). Failed parts fail an interest only
    where all are.
    """
    joined: dict[str, Interest] = {}
    for interest in (interest for chunk in chunks for interest in chunk):
        key = fold(interest.name) if mode == "strict" else interest.name
        known = joined.get(key)
        joined[key] = interest if known is None else _joined(known, interest)
    return list(joined.values())


def _joined(one: Interest, other: Interest) -> Interest:
    return replace(
        one,
        cited=tuple(dict.fromkeys((*one.cited, *other.cited))),
        unread=one.unread + other.unread,
        claimed=_claimed(one, other),
        types={**other.types, **one.types},
        excerpt=one.excerpt or other.excerpt,
        rationale=one.rationale or other.rationale,
        problem=one.problem if other.problem else "",
    )


def _claimed(*parts: Interest) -> dict[Polarity, int] | None:
    """Sum of the parts' counts; None where a part that cites items claims none."""
    total: dict[Polarity, int] = {}
    told = [part.claimed for part in parts if part.cited or part.claimed is not None]
    for claimed in told:
        if claimed is None:
            return None
        for kind, number in claimed.items():
            total[kind] = total.get(kind, 0) + number
    return total if told else None
