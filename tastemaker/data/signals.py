"""Signals: what each user's events say of each item, by polarity; what interests are proved with.

Counted are distinct items: a repeated event changes no count, and an item seen with two polarities
counts in both. Polarities stand in the order of `POLARITIES`, from the clearest yes to the clearest
no. Events are handed out newest first, as a language model reads them.

Whoever claims numbers of signals is scored here. With d a claimed number minus the true one,

    exact = mean(d = 0)        error = mean(|d|)        bias = mean(d)

of the claims about a polarity.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tastemaker.data.contexts import Int8s, Int32s, Int64s
from tastemaker.data.declaration import POLARITIES, Declaration, Polarity
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import CODES, polarities
from tastemaker.errors import BadInput
from tastemaker.inert import inert

CHUNK = 100
"""Events of a history that a language model reads at once."""
Floats = npt.NDArray[np.float64]
COUNTING: Mapping[str, Callable[[Floats], Floats]] = {
    "exact": lambda gap: (gap == 0).astype(np.float64),
    "error": np.abs,
    "bias": lambda gap: gap,
}
"""Name of a measure of counting → its value of each difference d, whose mean is the measure."""
_COLUMN = np.zeros(5, np.int64)
for _name, _code in CODES.items():
    _COLUMN[_code + 2] = POLARITIES.index(_name)


@dataclass(frozen=True)
class CountingAccuracy:
    """How well claimed numbers of one polarity agree with the signals."""

    exact: float
    """share of claims with the right number"""
    error: float
    """mean absolute error"""
    bias: float
    """mean of claimed minus true: above 0, too many are claimed"""

    @classmethod
    def of(cls, gaps: npt.ArrayLike) -> CountingAccuracy:
        """Of (K,) claimed minus true numbers, K > 0."""
        column = np.asarray(gaps, np.float64)
        return cls(**{name: float(value(column).mean()) for name, value in COUNTING.items()})


def counting_accuracy(
    differences: Sequence[Sequence[int]], kinds: Sequence[Polarity]
) -> dict[Polarity, CountingAccuracy]:
    """Counting accuracy by polarity; empty where nothing is claimed.

    Args:
        differences: K rows of claimed minus true numbers, one of each of `kinds`.
        kinds: Polarities that are counted.
    """
    table = np.array(differences, np.float64).reshape(-1, len(kinds))
    if not len(table):
        return {}
    return {k: CountingAccuracy.of(column) for k, column in zip(kinds, table.T, strict=True)}


def columns_of(codes: Int8s) -> Int64s:
    """Place in `POLARITIES` of each code of `polarity.CODES`, of any shape."""
    return _COLUMN[codes + 2]


class Event(NamedTuple):
    """One row of a user's history."""

    item: str
    polarity: Polarity


@dataclass(frozen=True)
class UserSignals:
    """What one user did, and what it says of each item."""

    user: str
    """id of the user"""
    events: tuple[Event, ...]
    """every event, newest first; an item may stand there several times"""
    kinds: tuple[Polarity, ...]
    """polarities that the data set has, which this user's events need not all have"""

    @cached_property
    def items(self) -> dict[str, frozenset[Polarity]]:
        """Item id → its polarities; each item once, in the order of its newest event."""
        found: dict[str, set[Polarity]] = {}
        for item, polarity in self.events:
            found.setdefault(item, set()).add(polarity)
        return {item: frozenset(said) for item, said in found.items()}

    def counts(self, items: Iterable[str]) -> Int64s:
        """(4,) distinct items among `items` that were seen with each of `POLARITIES`.

        Items that the user never saw count nowhere.
        """
        seen = [self.items[item] for item in set(items) if item in self.items]
        return np.array([sum(kind in said for said in seen) for kind in POLARITIES], np.int64)

    def chunks(self, size: int = CHUNK) -> list[tuple[Event, ...]]:
        """The history, newest first, cut into parts of `size` events; the last may be shorter."""
        starts = range(0, len(self.events), size)
        return [self.events[start : start + size] for start in starts]


@dataclass(frozen=True, eq=False)
class Signals:
    """The signals of U users, in P distinct pairs of user and item."""

    log: Interactions
    """the whole log, each user's events oldest first"""
    codes: Int8s
    """(N,) code of `polarity.CODES` of each event"""
    kinds: tuple[Polarity, ...]
    """polarities that some event has, in the order of `POLARITIES`"""
    offsets: Int64s
    """(U+1,) pairs of user u are `offsets[u]:offsets[u + 1]`"""
    items: Int32s
    """(P,) item codes 1..I, rising within a user"""
    seen: npt.NDArray[np.bool_]
    """(P, 4) whether the user saw the item with each of `POLARITIES`"""

    @property
    def counts(self) -> Int64s:
        """(U, 4) distinct items of each user, by polarity."""
        users = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        many = len(self.offsets) - 1
        each = [np.bincount(users[column], minlength=many) for column in self.seen.T]
        return np.stack(each, 1).astype(np.int64)

    def user(self, user: str) -> UserSignals:
        """What one user did.

        Raises:
            BadInput: If the log does not know the user.
        """
        if user not in self.log.user_codes:
            fix = "Use an id as it is written in the interactions file."
            raise BadInput(f"User {user!r} is not in this log.", "user id", fix)
        return self._of(self.log.user_codes[user])

    def users(self) -> Iterator[UserSignals]:
        """Every user, in the order of the log."""
        return (self._of(code) for code in range(self.log.num_users))

    def _of(self, code: int) -> UserSignals:
        rows = slice(int(self.log.offsets[code]), int(self.log.offsets[code + 1]))
        items = self.log.decode(self.log.items[rows])[::-1]
        said = [POLARITIES[column] for column in columns_of(self.codes[rows])[::-1]]
        events = tuple(map(Event, items, said))
        return UserSignals(self.log.user_ids[code], events, self.kinds)


def signals(log: Interactions, declared: Declaration, one_kind: bool = False) -> Signals:
    """Count a log's signals.

    Args:
        log: The whole log, negatives among it.
        declared: What its events and values mean.
        one_kind: Take a log all of whose events have one polarity; such a log tells how often
            somebody met an item but not whether they liked it.

    Raises:
        BadInput: If an event is not declared, or all have one polarity; says what to declare.
    """
    ordered = log.by_time()
    codes = polarities(ordered, declared)
    columns = columns_of(codes)
    present = np.bincount(columns, minlength=len(POLARITIES)) > 0
    kinds = tuple(kind for kind, there in zip(POLARITIES, present, strict=True) if there)
    if len(kinds) < 2 and not one_kind:
        raise _nothing_told(ordered, kinds)
    owners = np.repeat(np.arange(ordered.num_users, dtype=np.int64), ordered.lengths)
    wide = np.int64(ordered.num_items + 1)
    pairs, rows = np.unique(owners * wide + ordered.items, return_inverse=True)
    seen = np.zeros((len(pairs), len(POLARITIES)), bool)
    seen[rows.reshape(-1), columns] = True
    offsets = np.searchsorted(pairs, np.arange(ordered.num_users + 1) * wide).astype(np.int64)
    return Signals(ordered, codes, kinds, offsets, (pairs % wide).astype(np.int32), seen)


def history_lines(
    events: Sequence[Event], texts: Mapping[str, str], cut: int | None = None
) -> list[str]:
    """`[item id] polarity - text` of each event, each on one line whatever its text holds.

    Args:
        events: Such as one of `UserSignals.chunks`.
        texts: Item id → what is written about it; an item without text has an empty one.
        cut: Characters of a text that are shown; None: all.
    """
    written = {item: inert(" ".join(texts.get(item, "").split())) for item, _ in events}
    return [f"[{item}] {polarity} - {written[item][:cut]}" for item, polarity in events]


def _nothing_told(log: Interactions, kinds: Sequence[Polarity]) -> BadInput:
    what = f"Every event says the same ({', '.join(kinds) or 'there are none'}), so nothing tells "
    what += "what a user liked from what they did not."
    events = dict.fromkeys(log.event_names, "implicit_positive")
    example: dict[str, object] = {"events": events}
    values = np.empty(0) if log.values is None else log.values[np.isfinite(log.values)]
    if len(values) and values.min() < values.max():
        low, high = float(values.min()), float(values.max())
        third = (high - low) / 3
        bands = {
            "explicit_positive": [round(high - third, 3), high],
            "explicit_negative": [low, round(low + third, 3)],
        }
        example["value"] = {"column": "NAME OF THE COLUMN", "bands": bands}
    else:
        example["events"] = {"like": "explicit_positive", **events, "skip": "implicit_negative"}
    fix = (
        "Declare which events, or which values, are which, such as "
        f"{json.dumps(example, ensure_ascii=False)} (polarities: {', '.join(POLARITIES)})."
    )
    return BadInput(what, "dataset.json: events and value.bands", fix)
