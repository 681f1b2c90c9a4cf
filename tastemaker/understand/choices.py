"""Choices: which of the items it is shown a language model names, by number.

Where more are shown than fit into one question they are asked about in parts; a part that is too
long for the model is halved and asked again. Of several replies counts what most of them name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tastemaker.data.replies import Conversation, Reply
from tastemaker.seams import Generate
from tastemaker.understand.agreement import majority
from tastemaker.understand.asked import Call
from tastemaker.understand.attempts import Answer, Attempts, Question, ask
from tastemaker.understand.interests import Mode
from tastemaker.understand.judge_replies import parse_numbers


@dataclass(frozen=True)
class Choice:
    """Items of which a model names some."""

    purpose: str
    """as in `Call`"""
    items: tuple[str, ...]
    """ids in the order shown; without any, nothing is asked"""
    prompt: Callable[[Sequence[str]], Conversation]
    """the question about some of these ids, numbered from 0"""
    form: str
    """how a reply has to be"""
    whole: bool = False
    """whether all are shown at once, however many they are"""


@dataclass
class Chosen:
    """What a model named."""

    items: tuple[str, ...] = ()
    """distinct ids: those that most replies name first, of equals the one named first"""
    unread: int = 0
    """parts without a reply that could be read"""
    votes: list[tuple[int, int]] = field(default_factory=list)
    """how many replies left out and how many named each item, of parts to which several replies
    were wanted and all could be read"""
    calls: list[Call] = field(default_factory=list)


def choose(
    generate: Generate, choices: Sequence[Choice], attempts: Attempts, most: int = 1000
) -> list[Chosen]:
    """Ask for all choices at once.

    Args:
        generate: Who is asked.
        choices: What of.
        attempts: How often; its mode says how replies are read.
        most: Items of a question.
    """
    chosen = [Chosen() for _ in choices]
    waiting = [
        (number, part)
        for number, choice in enumerate(choices)
        for part in _parts(choice.items, len(choice.items) if choice.whole else most)
    ]
    while waiting:
        questions = [_question(choices[owner], part, attempts.mode) for owner, part in waiting]
        asked, waiting = waiting, []
        for (owner, part), answer in zip(asked, ask(generate, questions, attempts), strict=True):
            chosen[owner].calls += answer.calls
            if answer.too_long and len(part) > 1 and not choices[owner].whole:
                waiting += [(owner, half) for half in _parts(part, -(-len(part) // 2))]
            else:
                _take(chosen[owner], part, answer)
    return chosen


def _parts(items: tuple[str, ...], most: int) -> list[tuple[str, ...]]:
    return [items[start : start + most] for start in range(0, len(items), max(1, most))]


def _question(choice: Choice, part: Sequence[str], mode: Mode) -> Question[list[int]]:
    def read(reply: Reply) -> list[int] | None:
        if mode == "strict" and not reply.finished:
            return None  # its last number may lack digits, and more may be missing
        return parse_numbers(reply.text, len(part), mode)

    return Question(choice.purpose, choice.prompt(part), read, choice.form)


def _take(chosen: Chosen, part: Sequence[str], answer: Answer[list[int]]) -> None:
    numbers = majority(answer.readings)
    if numbers is None:
        chosen.unread += 1
        return
    named = [part[number] for number in numbers]
    chosen.items = tuple(dict.fromkeys((*chosen.items, *named)))
    read = [reading for reading in answer.readings if reading is not None]
    if len(read) == len(answer.readings) > 1:
        yes = [sum(number in reading for reading in read) for number in range(len(part))]
        chosen.votes += [(len(read) - many, many) for many in yes]
