"""Counting: questions of how many items a user liked or skipped, made from any log.

A model reads events, newest first, and says how many distinct items have one polarity: what
GISTBench found models to be worst at, with a right answer that costs nothing. Items are shown by
number, in the order in which they first stand there; no id or text of a stranger enters a prompt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tastemaker.data.contexts import Int64s
from tastemaker.data.declaration import Polarity
from tastemaker.data.signals import CountingAccuracy, Event, Signals, UserSignals
from tastemaker.errors import BadInput
from tastemaker.reinforce.extraction import extracted
from tastemaker.reinforce.numbers import number
from tastemaker.reinforce.prompts import Prompt, asked


@dataclass(frozen=True)
class CountingOptions:
    """Which questions are made."""

    many: int = 1000
    """most questions"""
    events: int = 20
    """most events of a question, the newest of a part of a history"""
    noun: str = "items"
    """what items are, as prompts say it"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse sizes that ask nothing."""
        if min(self.many, self.events) < 1:
            what = f"{self.many} questions of {self.events} events ask nothing."
            raise BadInput(what, "counting", "Give 1 or more of each.")


@dataclass(frozen=True)
class Question:
    """A question about one polarity of some events."""

    prompt: Prompt
    polarity: Polarity
    count: int
    """the right answer"""


@dataclass(frozen=True)
class CountingScore:
    """How well replies count."""

    parsed: float
    """share of replies that name a whole number; only they are scored below"""
    accuracy: dict[Polarity, CountingAccuracy]
    """by polarity; one of which no reply could be read is missing"""


def counting_questions(signals: Signals, options: CountingOptions | None = None) -> list[Question]:
    """Questions about the histories of a log, of each polarity that it has.

    Args:
        signals: The log.
        options: How many, how long.

    Returns:
        At most `options.many`, drawn from users and parts of their histories without preference.

    Raises:
        BadInput: If the log has no event.
    """
    options = options or CountingOptions()
    lengths = -(-signals.log.lengths // options.events)
    users = np.repeat(np.arange(signals.log.num_users), lengths)
    starts = np.concatenate([np.arange(many) for many in lengths] or [lengths])
    possible = len(users) * len(signals.kinds)
    if not possible:
        raise BadInput("The log has no event to count.", "counting", "Give a log with events.")
    rng = np.random.default_rng(options.seed)
    drawn = np.sort(rng.choice(possible, min(options.many, possible), replace=False))
    return list(_questions(signals, drawn, users, starts, options))


def score(questions: Sequence[Question], replies: Sequence[str]) -> CountingScore:
    """How well replies answer questions, one each.

    Raises:
        BadInput: If there are not as many replies as questions, or none.
    """
    if len(questions) != len(replies) or not questions:
        what = f"There are {len(questions):,} questions and {len(replies):,} replies."
        raise BadInput(what, "counting", "Give a reply to each of one question or more.")
    gaps: dict[Polarity, list[int]] = {}
    for question, reply in zip(questions, replies, strict=True):
        said = extracted(reply, "number")
        claimed = None if said is None else number(said)
        if claimed and claimed.value.denominator == 1 and not claimed.percent:
            # A model may claim any number; one of a thousand digits would fit into none.
            most = min(abs(claimed.value.numerator), 10**9)
            gap = (most if claimed.value >= 0 else -most) - question.count
            gaps.setdefault(question.polarity, []).append(gap)
    return CountingScore(
        sum(map(len, gaps.values())) / len(questions),
        {polarity: CountingAccuracy.of(own) for polarity, own in gaps.items()},
    )


def _questions(
    signals: Signals,
    drawn: Int64s,
    users: Int64s,
    parts: Int64s,
    options: CountingOptions,
) -> Iterator[Question]:
    user: UserSignals | None = None
    for place in drawn:
        row, column = divmod(int(place), len(signals.kinds))
        name = signals.log.user_ids[int(users[row])]
        if user is None or user.user != name:
            user = signals.user(name)
        part = int(parts[row])
        events = user.events[part * options.events : (part + 1) * options.events]
        yield _question(f"counting {place}", events, signals.kinds[column], options.noun)


def _question(name: str, events: Sequence[Event], polarity: Polarity, noun: str) -> Question:
    numbers: dict[str, int] = {}
    lines = [
        f"{numbers.setdefault(event.item, len(numbers) + 1)}: {event.polarity.replace('_', ' ')}"
        for event in events
    ]
    count = len({event.item for event in events if event.polarity == polarity})
    text = "\n".join(
        [
            f"Each line is something that a user did: the number of one of the {noun}, and whether "
            "it was a positive or negative signal, explicit or implicit.",
            *lines,
            f"How many different {noun} have the signal {polarity.replace('_', ' ')}? An item that "
            "has it in several lines counts once. Answer with the number alone.",
        ]
    )
    return Question(Prompt(name, asked(text), str(count), "number"), polarity, count)
