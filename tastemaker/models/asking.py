"""A question to a language model as one unit, which is what is answered, counted, kept and retried.

Whatever answers questions one by one is a `Generate` by the method that all of them share.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tastemaker.data.replies import Conversation, Conversations, Reply
from tastemaker.errors import BadInput
from tastemaker.models.json_grammar import JsonRows

ROLES = ("system", "user", "assistant")


@dataclass(frozen=True)
class Ask:
    """One reply that is wanted."""

    conversation: Conversation
    repeat: int = 0
    """which of several replies to the same conversation, from 0"""
    temperature: float = 0.0
    """0: the likeliest tokens"""
    max_tokens: int = 256
    """most tokens of the reply"""
    seed: int = 0

    def digest(self, identity: str) -> bytes:
        """sha256 of everything that decides the reply of the model with that identity."""
        messages = [[message["role"], message["content"]] for message in self.conversation]
        decides = [identity, messages, self.temperature, self.max_tokens, self.seed, self.repeat]
        return hashlib.sha256(json.dumps(decides).encode()).digest()


class Answers(ABC):
    """What answers questions in any order; the seam `Generate` is its call."""

    identity: str
    """hex sha256 of the model and every option that changes a reply"""

    @abstractmethod
    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Reply]]:
        """Each question's number and its reply, as they come."""

    @abstractmethod
    def shaped(self, rows: JsonRows) -> Answers:
        """The same model, asked for JSON of a shape.

        Raises:
            BadInput: If its tokenizer cannot write it.
        """

    def __call__(
        self,
        conversations: Conversations,
        n: int = 1,
        temperature: float = 0.0,
        max_tokens: int = 256,
        seed: int = 0,
    ) -> list[list[Reply]]:
        """Replies to conversations.

        Args:
            conversations: C of them.
            n: Replies to each.
            temperature: How freely is drawn; 0: the likeliest tokens.
            max_tokens: Most tokens of a reply.
            seed: Of what is drawn.

        Returns:
            C lists of n replies; one that failed says why in `error`, and fails no other.

        Raises:
            BadInput: If an argument cannot be used as it is.
        """
        asks = asks_of(conversations, n, temperature, max_tokens, seed)
        replies = [Reply(error="It was not answered.")] * len(asks)
        for number, reply in self.answers(asks):
            replies[number] = reply
        return [replies[start : start + n] for start in range(0, len(asks), n)]


def asks_of(
    conversations: Conversations, n: int, temperature: float, max_tokens: int, seed: int
) -> list[Ask]:
    """Questions: the repeats of a conversation stand together.

    Raises:
        BadInput: If an argument or a message cannot be used as it is.
    """
    for name, value, least in (("n", n, 1), ("max_tokens", max_tokens, 1)):
        if value < least:
            raise BadInput(f"{name} = {value} is out of range.", name, f"Give {least} or more.")
    if not 0 <= temperature <= 100:
        fix = "Give 0 for the likeliest tokens, 1 to draw them as the model has them."
        raise BadInput(f"temperature = {temperature} is out of range.", "temperature", fix)
    for number, conversation in enumerate(conversations):
        _check(conversation, number)
    return [
        Ask(conversation, repeat, float(temperature), max_tokens, seed)
        for conversation in conversations
        for repeat in range(n)
    ]


def _check(conversation: Conversation | str, number: int) -> None:
    """Refuse what is no conversation; says which."""
    where, fix = f"conversation {number}", "Give messages with a role and a content, both text."
    if isinstance(conversation, str) or not conversation:
        raise BadInput(f"{conversation!r:.80} is no conversation.", where, fix)
    for message in conversation:
        if message.keys() != {"role", "content"} or message["role"] not in ROLES:
            roles = ", ".join(ROLES)
            raise BadInput(f"{message!r:.80} is no message.", where, f"{fix} Roles: {roles}.")
        content: object = message["content"]
        if not isinstance(content, str):
            raise BadInput(f"Content {content!r:.80} is no text.", where, fix)
