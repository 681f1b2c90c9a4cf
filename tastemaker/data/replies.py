"""What a language model is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Conversation = Sequence[Mapping[str, str]]
"""Messages, the oldest first, each with `role` (system, user or assistant) and `content`."""
Conversations = Sequence[Conversation]

_OPENS, _CLOSES = "<think>", "</think>"


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


def without_thinking(raw: str) -> tuple[str, str]:
    """A reply without what stands in `<think>` blocks, and what stands there.

    A template may have opened the block, so text before a first `</think>` is thinking; a block
    that is never closed is thinking to the end.
    """
    said, thought = [], []
    first_close, first_open = raw.find(_CLOSES), raw.find(_OPENS)
    rest = raw
    if first_close >= 0 and not 0 <= first_open < first_close:
        rest = _OPENS + raw
    while rest:
        before, _, inside = rest.partition(_OPENS)
        thinking, _, rest = inside.partition(_CLOSES)
        said.append(before)
        thought.append(thinking.strip())
    return "".join(said).strip(), "\n".join(filter(None, thought))
