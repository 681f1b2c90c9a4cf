"""The language models there are, each of them the seam `Generate`, and what asking one will cost.

`LocalLLM` runs on this machine, `Endpoint` calls a server, `Scripted` says what a test tells it to;
`request_cache.Cached` stands before any of them.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tastemaker.counts import counted
from tastemaker.data.replies import Conversation, Conversations, Reply, without_thinking
from tastemaker.errors import BadInput
from tastemaker.models.asking import Answers, Ask, asks_of
from tastemaker.models.endpoint import URL, Calling, Endpoint, Prices
from tastemaker.models.json_grammar import JsonRows
from tastemaker.models.local_llm import LocalLLM
from tastemaker.models.packaged import PACKAGED

DEFAULT = "smollm2"
"""Packaged model that answers without a connection."""
_PIECES = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[!-~]|[^\x00-\x7f]+|\n+")
_MARKS = 8
"""Tokens of a message that are not its text: what begins and ends it, and who says it."""


def opened(name: str = DEFAULT, url: str = "", calling: Calling | None = None) -> Answers:
    """The language model of a name: on this machine, or at an endpoint where a URL is given.

    Args:
        name: What `packaged.locate` takes or, with a URL, the name that the endpoint knows.
        url: Of an OpenAI-compatible API. Empty: `$TASTEMAKER_LLM_URL`, which a packaged name and
            a folder do not ask for. Its key is `$TASTEMAKER_LLM_KEY`.
        calling: How an endpoint is called.

    Raises:
        BadInput: If there is no such model here, or the URL is none.
        ArtefactError: If weights are missing.
    """
    here = name in PACKAGED or Path(name).expanduser().is_dir()
    if url or (os.environ.get(URL) and not here):
        return Endpoint(name, url, calling=calling)
    return LocalLLM(name)


class Scripted(Answers):
    """A model that says what it is told to, for tests.

    Args:
        says: A list of replies in the order of the questions, or what gives one for a
            conversation and the number of a repeat. Text is a finished reply.
        identity: What it is known by.

    Raises:
        BadInput: When asked, if the list is at its end.
    """

    def __init__(
        self,
        says: Sequence[str | Reply] | Callable[[Conversation, int], str | Reply],
        identity: str = "scripted",
    ) -> None:
        self._says = says
        self.identity = hashlib.sha256(identity.encode()).hexdigest()
        self.asked: list[Ask] = []
        """every question so far"""

    def answers(self, asks: Sequence[Ask]) -> Iterator[tuple[int, Reply]]:
        """Replies in the order of the questions."""
        for number, ask in enumerate(asks):
            said = self._next(ask)
            self.asked.append(ask)
            if isinstance(said, str):
                text, thinking = without_thinking(said)
                read = sum(tokens_of(message["content"]) for message in ask.conversation)
                said = Reply(text, thinking, read, tokens_of(said))
            yield number, said

    def shaped(self, rows: JsonRows) -> Scripted:
        """The same: a script says what it says."""
        return self

    def _next(self, ask: Ask) -> str | Reply:
        if not isinstance(self._says, Sequence):
            return self._says(ask.conversation, ask.repeat)
        place = len(self.asked)
        if place >= len(self._says):
            fix = "Write one for every question."
            raise BadInput(f"The script has {counted(place, 'reply', 'replies')}.", "script", fix)
        return self._says[place]


@dataclass(frozen=True)
class Estimate:
    """What a call takes at most, counted before it."""

    requests: int
    prompt_tokens: int
    """about, see `tokens_of`"""
    tokens: int
    """most tokens of all replies"""
    cost: float
    """at the prices given, every reply as long as it may be"""

    def within(self, most_tokens: int, most_cost: float = 0.0, yes: bool = False) -> None:
        """Refuse a call above a limit.

        Args:
            most_tokens: Of prompts and replies together; 0: no limit.
            most_cost: 0: no limit.
            yes: Whether the user has agreed to more.

        Raises:
            BadInput: With the estimate and the limit.
        """
        total = self.prompt_tokens + self.tokens
        over = []
        if 0 < most_tokens < total:
            over.append(f"{total:,} tokens, above the limit of {most_tokens:,}")
        if 0 < most_cost < self.cost:
            over.append(f"a cost of {self.cost:,.2f}, above the limit of {most_cost:,.2f}")
        if over and not yes:
            what = f"{counted(self.requests, 'request')} may take {' and '.join(over)}."
            raise BadInput(what, "limit", "Add --yes, raise the limit, or ask fewer.")


def estimate(
    conversations: Conversations, n: int = 1, max_tokens: int = 256, prices: Prices | None = None
) -> Estimate:
    """What it takes at most to answer conversations `n` times.

    Raises:
        BadInput: If an argument or a message cannot be used as it is.
    """
    asks = asks_of(conversations, n, 0.0, max_tokens, 0)
    read = n * sum(
        tokens_of(message["content"]) + _MARKS
        for conversation in conversations
        for message in conversation
    )
    written = max_tokens * len(asks)
    return Estimate(len(asks), read, written, (prices or Prices()).of(read, written))


def tokens_of(text: str) -> int:
    """About how many tokens a text has, by a rule that fits small vocabularies.

    Five letters of a word are a token, three of a word in capitals, each digit and each sign, two
    bytes of any other script, and line breaks that stand together. Larger vocabularies need fewer.
    """
    total = 0
    for piece in _PIECES.finditer(text):
        part = piece.group()
        if not part.isascii():
            total += -(-len(part.encode(errors="replace")) // 2)
        elif part.isalpha():
            total += -(-len(part) // (3 if len(part) > 1 and part.isupper() else 5))
        else:
            total += 1
    return total
