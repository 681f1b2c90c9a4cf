"""What is asked of a model or a judge: who writes interests, and who says what supports them.

A language model, a simulated model, counting in code and the truth of a planted world all stand
here, so that one run of the benchmark serves them all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from tastemaker.data.replies import Reply
from tastemaker.data.signals import UserSignals
from tastemaker.understand.extracted import Extracted
from tastemaker.understand.interests import Interest
from tastemaker.understand.specificity import LineUp


@dataclass(frozen=True)
class Call:
    """One question to a language model, and every reply to it."""

    purpose: str
    """what it was for: `extract`, `relevant`, `unrelated`, `pick` or `categories`"""
    prompt_sha256: str
    """hash of the conversation"""
    replies: tuple[Reply, ...]
    """in the order given; more than one where the first could not be read"""


@dataclass(frozen=True)
class Written:
    """What a model wrote of one user."""

    extracted: Extracted
    """interests of all chunks, joined by name"""
    calls: tuple[Call, ...] = ()
    """what it was asked; empty for who is no language model"""
    chunks: tuple[int, ...] = ()
    """events of each part of the history that was read, newest first; shorter ones were cut
    because the model could not read more at once"""


@dataclass(frozen=True)
class Judged:
    """What a judge says of one user's interests, and what it was asked."""

    relevant: tuple[tuple[str, ...] | None, ...]
    """(J,) F_j, cited items that support each interest; None: no answer could be read"""
    picks: tuple[tuple[str, ...] | None, ...]
    """(J,) items picked of each line-up, in the order named; None: no answer could be read"""
    line_ups: tuple[LineUp, ...] = ()
    """(J,) what was shown"""
    unfiltered: int = 0
    """questions about the pool without an answer, after which it was left as it was"""
    calls: tuple[Call, ...] = field(default=())
    votes: tuple[tuple[int, int], ...] = ()
    """of each item that was shown as evidence, how many replies said no and yes, where there were
    several and all could be read: what `agreement.fleiss_kappa` takes"""


class Understands(Protocol):
    """Whoever writes a user's interests."""

    name: str
    """as tables show it"""
    identity: str
    """hex sha256 of everything that decides what it writes"""

    def write(self, users: Sequence[UserSignals]) -> list[Written]:
        """What it writes of each user; a user whose questions failed is a problem of theirs."""


class Judge(Protocol):
    """Whoever says what supports an interest."""

    name: str
    identity: str

    def judge(
        self, users: Sequence[UserSignals], interests: Sequence[Sequence[Interest]]
    ) -> list[Judged]:
        """What supports each user's interests: the relevant items, and picks of line-ups."""

    def categories(self, names: Sequence[str]) -> list[int]:
        """Category of each name in the judge's taxonomy; `OTHER` where none fits."""
