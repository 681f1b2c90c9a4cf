"""What a language model is asked, and what it answers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Conversation = Sequence[Mapping[str, str]]
"""Messages, the oldest first, each with `role` (system, user or assistant) and `content`."""
Conversations = Sequence[Conversation]

_TAG = re.compile(r"<(/?)(?:think|thinking|thought|reasoning)>", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """One answer of a language model, or why there is none."""

    text: str = ""
    """what it says, without its thinking"""
    thinking: str = ""
    """what it says to itself before"""
    prompt_tokens: int = 0
    """tokens that it was asked with"""
    tokens: int = 0
    """tokens that it made, thinking included"""
    finished: bool = True
    """False: it was cut at the most tokens allowed"""
    seconds: float = 0.0
    """from the request to the answer; of a batch, its share"""
    cost: float = 0.0
    """in the currency that prices were given in"""
    error: str = ""
    """why there is no answer; empty: there is one"""
    too_long: bool = False
    """whether that is because the question was too long for the model"""


def without_thinking(text: str) -> tuple[str, str]:
    """A reply without its thinking blocks, and what stood in them.

    What follows a block that is never closed is thought; so is what stands before an end without a
    beginning, which chat templates leave.
    """
    answer: list[str] = []
    thought: list[str] = []
    start, inside = 0, False
    for tag in _TAG.finditer(text):
        part, closing = text[start : tag.start()], bool(tag[1])
        if closing and not inside:
            thought += [*answer, part]
            answer = []
        else:
            (thought if inside else answer).append(part)
        inside, start = not closing, tag.end()
    (thought if inside else answer).append(text[start:])
    return "".join(answer).strip(), "\n".join(filter(None, map(str.strip, thought)))
