"""Attempts: questions to a language model that are asked again where the reply cannot be read.

All questions go to the model in one call, those to be asked again in one more. `strict` shows the
model its bad reply and says what was wrong with it; `reference` asks the same again, as GISTBench's
released program does. A reply that failed is not asked for again: whoever answers has tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from tastemaker.data.replies import Conversation, Reply
from tastemaker.errors import BadInput
from tastemaker.seams import Generate
from tastemaker.understand import prompts
from tastemaker.understand.asked import Call
from tastemaker.understand.interests import Mode

A = TypeVar("A")
_SHOWN = 2_000
"""Characters of a bad reply that a model is shown."""


@dataclass(frozen=True)
class Question(Generic[A]):
    """One question."""

    purpose: str
    """as in `Call`"""
    conversation: Conversation
    read: Callable[[Reply], A | None]
    """what a reply says; None: it cannot be read"""
    form: str
    """how a reply has to be, as a model is told that wrote another"""


@dataclass(frozen=True)
class Attempts:
    """How often is asked."""

    most: int = 3
    """times that a question is asked until its reply can be read"""
    repeats: int = 1
    """replies that are wanted of each question"""
    temperature: float = 0.0
    max_tokens: int = 4096
    seed: int = 0
    mode: Mode = "strict"

    def __post_init__(self) -> None:
        """Refuse to ask less than once."""
        if min(self.most, self.repeats, self.max_tokens) < 1:
            what = "Nothing is asked without one attempt, one repeat and one token."
            raise BadInput(what, "judge", "Give 1 or more of each.")


@dataclass
class Answer(Generic[A]):
    """What came of one question."""

    readings: list[A | None]
    """one of each repeat; None: no reply could be read"""
    calls: list[Call]
    """one of each repeat"""

    @property
    def too_long(self) -> bool:
        """Whether the question was too long for the model."""
        return any(reply.too_long for call in self.calls for reply in call.replies)


@dataclass
class _Try(Generic[A]):
    """One repeat of one question."""

    question: Question[A]
    repeat: int
    conversation: Conversation
    replies: list[Reply] = field(default_factory=list)
    reading: A | None = None

    def take(self, reply: Reply) -> None:
        self.replies.append(reply)
        self.reading = None if reply.error else self.question.read(reply)

    @property
    def unread(self) -> bool:
        return self.reading is None and not self.replies[-1].error

    def call(self) -> Call:
        sha256 = prompts.sha256_of(self.question.conversation)
        return Call(self.question.purpose, sha256, tuple(self.replies))


def ask(
    generate: Generate, questions: Sequence[Question[A]], attempts: Attempts
) -> list[Answer[A]]:
    """Answers to questions, in their order."""
    repeats = range(attempts.repeats)
    tries = [[_Try(one, repeat, one.conversation) for repeat in repeats] for one in questions]
    if questions:
        conversations = [one.conversation for one in questions]
        options = (attempts.temperature, attempts.max_tokens)
        replies = generate(conversations, attempts.repeats, *options, attempts.seed)
        for several, told in zip(tries, replies, strict=True):
            for one, reply in zip(several, told, strict=True):
                one.take(reply)
    for attempt in range(1, attempts.most):
        for repeat in repeats:
            unread = [several[repeat] for several in tries if several[repeat].unread]
            seed = attempts.seed + attempt * attempts.repeats + repeat
            _again(generate, unread, attempts, seed)
    return [
        Answer([one.reading for one in several], [one.call() for one in several])
        for several in tries
    ]


def _again(generate: Generate, unread: Sequence[_Try[A]], attempts: Attempts, seed: int) -> None:
    """Ask once more, with another seed, so that no kept reply is given again."""
    if not unread:
        return
    if attempts.mode == "strict":
        for one in unread:
            one.conversation = _with_what_was_wrong(one)
    conversations = [one.conversation for one in unread]
    replies = generate(conversations, 1, attempts.temperature, attempts.max_tokens, seed)
    for one, (reply,) in zip(unread, replies, strict=True):
        one.take(reply)


def _with_what_was_wrong(one: _Try[A]) -> Conversation:
    reply = one.replies[-1]
    if not reply.finished:
        wrong = f"was cut after {reply.tokens:,} tokens"
    else:
        wrong = "is not of the form that was asked for" if reply.text.strip() else "is empty"
    return [
        *one.question.conversation,
        {"role": "assistant", "content": reply.text[:_SHOWN].strip() or "(empty)"},
        {"role": "user", "content": f"Your reply {wrong}. {one.question.form}"},
    ]
