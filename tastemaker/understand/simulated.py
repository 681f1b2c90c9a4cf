"""Simulated models: they write about planted users in ways whose quality is known.

A model here writes what a language model would, a JSON list, of one chunk of a history at a time.
Nothing is drawn: what a model does wrong it does by the hash of user, interest and item.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence

from tastemaker.config import to_json
from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.data.signals import CHUNK, Event, UserSignals
from tastemaker.errors import BadInput
from tastemaker.understand.asked import Written
from tastemaker.understand.extracted import Extracted, extracted
from tastemaker.understand.interests import Mode, merge
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.taxonomy import Taxonomy
from tastemaker.worlds.planted_interests import PlantedUsers
from tastemaker.worlds.topics import TOPICS

SMALL = Taxonomy(tuple(TOPICS))
"""The taxonomy of planted users."""
Model = Callable[[str, Sequence[Event]], str]
"""Writes the reply on one chunk: `(user id, events newest first) -> text`."""
SIMULATED = (
    "oracle",
    "popularity prior",
    "echo everything",
    "hallucinating",
    "no evidence",
    "wrong counts",
    "length limited",
)
"""Names of the simulated models."""
_SHARES = 2**32


def models(planted: PlantedUsers, errors: float = 0.3, longest: int = 2) -> dict[str, Model]:
    """The simulated models, by name.

    Args:
        planted: What they are asked about.
        errors: Chance that the model of wrong counts takes an item for one of another polarity.
        longest: Interests that the length-limited model writes of a chunk.
    """
    common = Oracle(planted.oracle).commonest(2 * planted.options.interests)
    found = {
        "oracle": _oracle(planted),
        "popularity prior": lambda user, events: _written(
            {topic: [event for event in events if _liked(event)][:5] for topic in common}
        ),
        "echo everything": lambda user, events: _written(
            dict.fromkeys(range(1, len(TOPICS) + 1), list(events))
        ),
        "hallucinating": lambda user, events: _written(
            {
                topic: [Event(f"no-such-{user}-{topic}-{n}", "implicit_positive") for n in range(4)]
                for topic in sorted(planted.oracle[user])
            }
        ),
        "no evidence": lambda user, events: _written(
            {topic: [] for topic in sorted(planted.oracle[user])}
        ),
        "wrong counts": _wrong_counts(planted, errors),
        "length limited": _length_limited(planted, longest),
    }
    return found


def ask(model: Model, user: UserSignals, chunk: int = CHUNK, mode: Mode = "strict") -> Extracted:
    """A model's interests of one user: a reply a chunk, read and joined by name."""
    replies = [extracted(model(user.user, part), mode) for part in user.chunks(chunk)]
    return Extracted(
        tuple(merge([reply.interests for reply in replies], mode)),
        sum(reply.nameless for reply in replies),
        "; ".join(sorted({reply.problem for reply in replies if reply.problem})),
        "".join(reply.thinking for reply in replies),
    )


class Simulated:
    """A simulated model by its name, as a benchmark asks it.

    Args:
        name: One of `models`; a hyphen may stand for a blank.
        planted: What it is asked about.
        chunk: Events of a history that it is shown at once.
        mode: How its replies are read.

    Raises:
        BadInput: If there is no such model.
    """

    def __init__(
        self, name: str, planted: PlantedUsers, chunk: int = CHUNK, mode: Mode = "strict"
    ) -> None:
        known = models(planted)
        self.name = name.replace("-", " ")
        if self.name not in known:
            fix = f"There are: {', '.join(known)}."
            raise BadInput(f"No simulated model is called {name!r:.80}.", "model", fix)
        self._model, self._chunk, self._mode = known[self.name], chunk, mode
        self.identity = identity(self.name, chunk, mode, world_of(planted))

    def write(self, users: Sequence[UserSignals]) -> list[Written]:
        """Its interests of each user."""
        return [Written(ask(self._model, user, self._chunk, self._mode)) for user in users]


def world_of(planted: PlantedUsers) -> list[object]:
    """What tells a planted world from others."""
    known = {user: sorted(own) for user, own in sorted(planted.oracle.items())}
    return [to_json(planted.options), known, sorted(planted.topics.items())]


def identity(*parts: object) -> str:
    """Hex sha256 of JSON values that decide what somebody answers."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _oracle(planted: PlantedUsers) -> Model:
    """Every interest that the chunk has items of, with all of them."""

    def write(user: str, events: Sequence[Event]) -> str:
        return _written(_by_topic(planted, user, events))

    return write


def _length_limited(planted: PlantedUsers, longest: int) -> Model:
    """The oracle's first few interests: those of most items of the chunk."""

    def write(user: str, events: Sequence[Event]) -> str:
        found = _by_topic(planted, user, events)
        kept = sorted(found, key=lambda topic: (-len(found[topic]), topic))[:longest]
        return _written({topic: found[topic] for topic in kept})

    return write


def _wrong_counts(planted: PlantedUsers, errors: float) -> Model:
    """The oracle's interests and items, but for the polarity of some items."""
    kinds = planted.options.kinds

    def mistaken(user: str, event: Event) -> Event:
        drawn = chance(planted.options.seed, "counts", user, event.item)
        if drawn >= errors:
            return event
        place = int(drawn / errors * len(kinds))
        return event._replace(polarity=kinds[min(place, len(kinds) - 1)])

    def write(user: str, events: Sequence[Event]) -> str:
        found = _by_topic(planted, user, events)
        return _written(
            {topic: [mistaken(user, event) for event in own] for topic, own in found.items()}
        )

    return write


def _by_topic(planted: PlantedUsers, user: str, events: Sequence[Event]) -> dict[int, list[Event]]:
    own = planted.oracle[user]
    found: dict[int, list[Event]] = {}
    for event in events:
        topic = planted.topics[event.item]
        if topic in own:
            found.setdefault(topic, []).append(event)
    return found


def _liked(event: Event) -> bool:
    return event.polarity.endswith("positive")


def _written(found: Mapping[int, Sequence[Event]]) -> str:
    """The reply: an interest a topic, with its items, their numbers and their polarities."""
    entries = []
    for topic, events in found.items():
        seen = {(item, kind) for item, kind in events}
        counts: dict[Polarity, int] = {
            kind: sum(said == kind for _, said in seen) for kind in POLARITIES
        }
        entries.append(
            {
                "interest": SMALL.names[topic - 1],
                "item_ids": list(dict.fromkeys(item for item, _ in events)),
                "counts": counts,
                "item_types": dict(events),
            }
        )
    return "```json\n" + json.dumps(entries) + "\n```"


def chance(*lot: object) -> float:
    """A number in 0..1 that depends on what is drawn for alone."""
    digest = hashlib.sha256("\x1f".join(map(str, lot)).encode()).digest()
    return int.from_bytes(digest[:4], "big") / _SHARES
