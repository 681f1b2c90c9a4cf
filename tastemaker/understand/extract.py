"""Extract: a language model writes a user's interests, one part of the history at a time.

All parts of all users go to the model in one call, which batches them. A part that is too long for
the model is halved and asked again, until it fits or is one event; whatever else fails is a problem
of that part, and the others go on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from tastemaker.data.declaration import Polarity
from tastemaker.data.replies import Conversation, Reply
from tastemaker.data.signals import CHUNK, Event, UserSignals, history_lines
from tastemaker.errors import BadInput
from tastemaker.models.asking import Answers
from tastemaker.models.generate import tokens_of
from tastemaker.models.identity import identity_of
from tastemaker.seams import Generate
from tastemaker.understand import prompts
from tastemaker.understand.asked import Call, Written
from tastemaker.understand.extracted import Extracted, extracted
from tastemaker.understand.groundedness import Thresholds
from tastemaker.understand.interests import Interest, Mode, merge
from tastemaker.understand.quoted import quoted

_CAUTION = 2
"""How many times as many tokens are reckoned with as `tokens_of` says: digits of ids take many."""


@dataclass(frozen=True)
class ExtractOptions:
    """How interests are asked for; defaults are the paper's where it has them."""

    noun: str = "items"
    """what items are, as prompts say it"""
    thresholds: bool = True
    """whether the model is told how its interests will be checked"""
    counts: bool = True
    """whether it is asked to count the items that it cites by polarity"""
    chunk: int = CHUNK
    """events of a history that it reads at once"""
    text: int = 2000
    """most characters of an item's text"""
    max_tokens: int = 4096
    """most tokens of a reply"""
    temperature: float = 0.0
    seed: int = 0
    window: int = 0
    """tokens that the model reads and writes at once; 0: it says itself what is too long"""
    mode: Mode = "strict"
    """how replies are read"""

    def __post_init__(self) -> None:
        """Refuse sizes that leave nothing to read."""
        if min(self.chunk, self.text, self.max_tokens) < 1:
            what = "A chunk, a text or a reply of less than 1 holds nothing."
            raise BadInput(what, "extract", "Give 1 or more of each.")
        if 0 < self.window <= self.max_tokens:
            what = f"A reply of {self.max_tokens:,} tokens leaves no room in {self.window:,}."
            raise BadInput(what, "extract: max_tokens", "Give fewer than the window has.")


@dataclass(frozen=True)
class _Part:
    """Events that are read at once."""

    user: int
    start: int
    events: tuple[Event, ...]

    def halves(self) -> list[_Part]:
        half = -(-len(self.events) // 2)
        rest = _Part(self.user, self.start + half, self.events[half:])
        return [_Part(self.user, self.start, self.events[:half]), rest]


class LanguageModel:
    """A language model that writes interests; an `Understands`.

    Args:
        generate: The model.
        name: As tables show it.
        texts: Item id → what is written about it.
        options: How it is asked.
    """

    def __init__(
        self,
        generate: Generate,
        name: str,
        texts: Mapping[str, str],
        options: ExtractOptions | None = None,
    ) -> None:
        self.name, self.options, self.model_identity = name, options or ExtractOptions(), ""
        self._generate, self._texts, self._flat = generate, texts, False
        self._identify(generate.identity)

    @classmethod
    def constrained(
        cls,
        answers: Answers,
        name: str,
        texts: Mapping[str, str],
        kinds: tuple[Polarity, ...],
        options: ExtractOptions | None = None,
    ) -> LanguageModel:
        """The same, but that replies are JSON by construction, which small models need.

        Args:
            answers: The model, which is asked for JSON of this shape.
            name: As tables show it.
            texts: Item id → what is written about it.
            kinds: Polarities that the data set has; a reply has a number for each, and says not
                which item has which.
            options: How it is asked.
        """
        options = options or ExtractOptions()
        rows = prompts.Wanted(kinds, counts=options.counts, flat=True).rows()
        model = cls(answers.shaped(rows), name, texts, options)
        model._flat = True
        model._identify(answers.identity)
        return model

    def _identify(self, model: str) -> None:
        """Be known by the language model behind, and by all that decides what it is asked."""
        self.model_identity = model
        """hex sha256 of the language model alone, however it is asked"""
        decides = {"prompts": prompts.VERSION, "flat": self._flat, **asdict(self.options)}
        self.identity = identity_of(self._generate.identity, decides)

    def write(self, users: Sequence[UserSignals]) -> list[Written]:
        """What the model writes of each user; a part that failed is a problem that is told."""
        waiting = [
            _Part(number, place * self.options.chunk, events)
            for number, user in enumerate(users)
            for place, events in enumerate(user.chunks(self.options.chunk))
        ]
        read: list[list[tuple[_Part, Extracted]]] = [[] for _ in users]
        calls: list[list[Call]] = [[] for _ in users]
        while waiting:
            ready = [part for whole in waiting for part in self._fitting(whole, users)]
            waiting = []
            asked = [self._asked(part, users[part.user]) for part in ready]
            for part, conversation, reply in zip(ready, asked, self._replies(asked), strict=True):
                sha256 = prompts.sha256_of(conversation)
                calls[part.user].append(Call("extract", sha256, (reply,)))
                if reply.too_long and len(part.events) > 1:
                    waiting += part.halves()
                else:
                    read[part.user].append((part, self._read(reply, part)))
        return [self._joined(*of_user) for of_user in zip(read, calls, strict=True)]

    def _replies(self, asked: Sequence[Conversation]) -> list[Reply]:
        options = self.options
        replies = self._generate(asked, 1, options.temperature, options.max_tokens, options.seed)
        return [reply for (reply,) in replies]

    def _asked(self, part: _Part, user: UserSignals) -> Conversation:
        options = self.options
        shown = [Event(quoted(event.item), event.polarity) for event in part.events]
        texts = {
            own.item: quoted(self._texts.get(event.item, ""), options.text)
            for event, own in zip(part.events, shown, strict=True)
        }
        thresholds = Thresholds() if options.thresholds else None
        wanted = prompts.Wanted(user.kinds, options.noun, thresholds, options.counts, self._flat)
        return prompts.extract(history_lines(shown, texts), wanted)

    def _fitting(self, part: _Part, users: Sequence[UserSignals]) -> list[_Part]:
        """The part, or the pieces of it that fit into the window where that is known."""
        options = self.options
        if not options.window or len(part.events) < 2:
            return [part]
        asked = self._asked(part, users[part.user])
        tokens = _CAUTION * sum(tokens_of(message["content"]) for message in asked)
        if tokens + options.max_tokens <= options.window:
            return [part]
        return [piece for half in part.halves() for piece in self._fitting(half, users)]

    def _read(self, reply: Reply, part: _Part) -> Extracted:
        if reply.error:
            return Extracted((), 0, reply.error, reply.thinking)
        found = extracted(reply.text, self.options.mode)
        real = {quoted(event.item): event.item for event in part.events}
        interests = tuple(_named(interest, real) for interest in found.interests)
        problem = found.problem
        if not reply.finished:
            cut = f"the reply was cut at {reply.tokens:,} tokens"
            problem = f"{problem}: {cut}" if problem else cut
        thinking = "\n".join(filter(None, (reply.thinking, found.thinking)))
        return replace(found, interests=interests, problem=problem, thinking=thinking)

    def _joined(self, parts: Sequence[tuple[_Part, Extracted]], calls: Sequence[Call]) -> Written:
        parts = sorted(parts, key=lambda pair: pair[0].start)
        many = len(parts)
        problems = [
            f"part {number} of {many}: {one.problem}"
            for number, (_, one) in enumerate(parts, start=1)
            if one.problem
        ]
        whole = Extracted(
            tuple(merge([one.interests for _, one in parts], self.options.mode)),
            sum(one.nameless for _, one in parts),
            "; ".join(problems),
            "\n".join(filter(None, (one.thinking for _, one in parts))),
        )
        return Written(whole, tuple(calls), tuple(len(part.events) for part, _ in parts))


def _named(interest: Interest, real: Mapping[str, str]) -> Interest:
    """The interest with the ids of the log, some of which are shown in other characters."""
    return replace(
        interest,
        cited=tuple(dict.fromkeys(real.get(item, item) for item in interest.cited)),
        types={real.get(item, item): kind for item, kind in interest.types.items()},
    )
