"""Samples: all that a benchmark learns of one user, as one record that scores are made from.

A record holds what was asked, every raw reply, what was read in it and what was judged; of the
user's history it holds the cited items alone. Nothing else is needed to score a run again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tastemaker import records
from tastemaker.config import from_json, to_json
from tastemaker.data.declaration import Polarity
from tastemaker.data.signals import Event, UserSignals
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import JsonObject
from tastemaker.understand.asked import Call, Judged, Written
from tastemaker.understand.interests import Interest
from tastemaker.understand.specificity import LineUp

NAME = "samples.jsonl"
"""File of a run's samples, a line a user."""


@dataclass(frozen=True)
class JudgedInterest:
    """An interest as it was written, and what a judge said of it."""

    name: str
    category: int | str
    """number in the taxonomy; without one the folded name"""
    cited: tuple[str, ...] = ()
    unread: int = 0
    claimed: dict[Polarity, int] | None = None
    types: dict[str, Polarity] | None = None
    excerpt: str = ""
    rationale: str = ""
    problem: str = ""
    relevant: tuple[str, ...] | None = None
    """F_j; None: no answer could be read, or nobody was asked"""
    picks: tuple[str, ...] | None = None
    """items picked of the line-up; None likewise"""
    line_up: tuple[str, ...] = ()
    """items that were shown"""
    backing: tuple[str, ...] = ()
    """those of them that the interest cites"""

    @property
    def interest(self) -> Interest:
        """What the model wrote."""
        return Interest(
            self.name,
            self.cited,
            self.unread,
            self.claimed,
            self.types or {},
            self.excerpt,
            self.rationale,
            self.problem,
        )

    @property
    def shown(self) -> LineUp:
        """What the judge was shown."""
        return LineUp(self.line_up, frozenset(self.backing))


@dataclass(frozen=True)
class Sample:
    """One user of a run."""

    user: str
    events: int
    """events of the history"""
    kinds: tuple[Polarity, ...]
    """polarities that the data set has"""
    excluded: bool = False
    """the oracle does not know the user, so nobody was asked"""
    known: tuple[int, ...] | None = None
    """O_u; None: there is no oracle"""
    seen: dict[str, tuple[Polarity, ...]] | None = None
    """cited item of the history → its polarities"""
    interests: tuple[JudgedInterest, ...] = ()
    nameless: int = 0
    """entries of replies that are no interests"""
    problem: str = ""
    """what failed of the model"""
    judge_problem: str = ""
    """what failed of the judge"""
    thinking: str = ""
    chunks: tuple[int, ...] = ()
    """events of each part of the history that a language model read"""
    judged: bool = False
    """whether a judge was asked"""
    unfiltered: int = 0
    """questions about the pool that stayed without an answer"""
    votes: tuple[tuple[int, int], ...] = ()
    """of each item shown as evidence, how many of several replies said no and yes"""
    calls: tuple[Call, ...] = ()
    """what the model was asked"""
    judge_calls: tuple[Call, ...] = ()
    """what the judge was asked"""

    @property
    def signals(self) -> UserSignals:
        """The history as far as it is cited."""
        seen = (self.seen or {}).items()
        events = tuple(Event(item, kind) for item, kinds in seen for kind in kinds)
        return UserSignals(self.user, events, self.kinds)

    @property
    def failed(self) -> bool:
        """Whether nothing could be had of the model, which is scored 0."""
        return bool(self.problem) and not self.interests


def sample(
    user: UserSignals,
    written: Written,
    categories: Sequence[int | str],
    judged: Judged | None,
    known: Iterable[int] | None,
) -> Sample:
    """What was learned of a user who was asked about.

    Args:
        user: Whose interests they are.
        written: What a model wrote.
        categories: (J,) c(j).
        judged: What a judge said; None: there is none.
        known: O_u; None: there is no oracle.
    """
    found = written.extracted
    pairs = list(zip(found.interests, categories, strict=True))
    cited = dict.fromkeys(item for one, _ in pairs for item in one.cited if item in user.items)
    return Sample(
        user=user.user,
        events=len(user.events),
        kinds=user.kinds,
        known=None if known is None else tuple(sorted(known)),
        seen={item: tuple(sorted(user.items[item])) for item in cited},
        interests=tuple(
            _judged(one, category, judged, place) for place, (one, category) in enumerate(pairs)
        ),
        nameless=found.nameless,
        problem=found.problem,
        thinking=found.thinking,
        chunks=tuple(written.chunks),
        judged=judged is not None,
        unfiltered=judged.unfiltered if judged else 0,
        votes=tuple(judged.votes) if judged else (),
        calls=tuple(written.calls),
        judge_calls=tuple(judged.calls) if judged else (),
    )


def _judged(
    one: Interest, category: int | str, judged: Judged | None, place: int
) -> JudgedInterest:
    line_up = judged.line_ups[place] if judged and judged.line_ups else LineUp((), frozenset())
    return JudgedInterest(
        one.name,
        category,
        one.cited,
        one.unread,
        None if one.claimed is None else dict(one.claimed),
        dict(one.types),
        one.excerpt,
        one.rationale,
        one.problem,
        judged.relevant[place] if judged else None,
        judged.picks[place] if judged else None,
        line_up.items,
        tuple(item for item in line_up.items if item in line_up.backing),
    )


def add(folder: Path, one: Sample) -> None:
    """Add a sample to a run's file, and wait until it is on the disk."""
    records.append(folder / NAME, to_json(one))


def read(folder: Path) -> list[Sample]:
    """Every whole sample of a run, in the order asked; none where there is no file.

    Raises:
        ArtefactError: If a line is no sample, or a user stands there twice.
    """
    path = folder / NAME
    found: dict[str, Sample] = {}
    for number, record in enumerate(records.read(path), 1):
        one = _sample(record, path, number)
        if one.user in found:
            raise _damaged(path, number, f"user {one.user!r:.80} again")
        found[one.user] = one
    return list(found.values())


def _sample(record: JsonObject, path: Path, number: int) -> Sample:
    try:
        return from_json(Sample, record, "sample")
    except BadInput as error:
        raise _damaged(path, number, f"{error.where}: {error.what.rstrip('.')}") from None


def _damaged(path: Path, number: int, got: str) -> ArtefactError:
    fix = "Restore the file from a copy, or make the run again."
    return ArtefactError(str(path), f"Line {number} is damaged", "the sample of a user", got, fix)
