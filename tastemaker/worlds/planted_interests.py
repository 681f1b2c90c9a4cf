"""A world of users with planted interests: what evidence proves, and what only seems to, is known.

Every item has one of 24 topics, which its text tells. A user has some interests, topics of which
they saw enough items with enough approval; some decoys, topics that just miss that: two implicit
positives alone, or three and four implicit negatives; and noise, single items of all other topics.
So it is known which items prove what, which topics a user has, and what distracts from them.

An interest is planted by one of these numbers of distinct items, as far as the log has the
polarities, and then grows to `events` items by more of the same: three implicit positives; two
explicit positives; one explicit and two implicit ones. At most three implicit and two explicit
negatives are among them. Topics differ in how common they are, so that naming the commonest finds
many a user's interests, without any evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.datasets import Dataset
from tastemaker.data.declaration import POLARITIES, Declaration, Polarity
from tastemaker.data.interactions import Interactions
from tastemaker.errors import BadInput
from tastemaker.worlds.logs import START
from tastemaker.worlds.topics import TOPICS, topic_texts

Role = Literal["interest", "decoy", "noise"]
Floats = npt.NDArray[np.float64]

EVENTS: dict[Polarity, str] = {
    "explicit_positive": "like",
    "implicit_positive": "view",
    "implicit_negative": "skip",
    "explicit_negative": "dislike",
}
"""Polarity → kind of event of the log."""
_LONGEST = 7
"""Events of the longest decoy."""


@dataclass(frozen=True)
class PlantedOptions:
    """The knobs of the world."""

    users: int = 12
    interests: int = 4
    """interests of a user"""
    events: int = 8
    """distinct items of the topic of an interest, 3 or more"""
    decoys: float = 0.5
    """near misses of a user, as a share of the interests; 0: none"""
    ambiguity: float = 0.0
    """chance that a word of an item's text is of another topic, 0 to 1"""
    length: int = 80
    """events of a user; those that are neither of an interest nor of a decoy are noise"""
    items: int = 40
    """items a topic"""
    kinds: tuple[Polarity, ...] = POLARITIES
    """polarities that the log has, a positive one among them"""
    seed: int = 0

    @property
    def num_decoys(self) -> int:
        """Decoys of a user."""
        return round(self.interests * self.decoys)

    def __post_init__(self) -> None:
        """Refuse worlds that cannot be made."""
        where = "planted interests"
        if not {"explicit_positive", "implicit_positive"} & set(self.kinds):
            what = f"With {', '.join(self.kinds) or 'nothing'} nobody likes anything."
            raise BadInput(what, f"{where}: kinds", "Add a positive polarity.")
        free = len(TOPICS) - self.interests - self.num_decoys
        if self.interests < 1 or free < 1:
            what = f"{self.interests} interests and {self.num_decoys} decoys leave no topic of "
            what += f"{len(TOPICS)} for noise."
            raise BadInput(what, f"{where}: interests", "Plant fewer interests or decoys.")
        if not 3 <= self.events <= self.items or self.items < _LONGEST:
            what = f"An interest cannot have {self.events} of {self.items} items."
            raise BadInput(what, f"{where}: events", "Use 3 or more, and no more than the items.")
        rest = self.length - self.interests * self.events
        least = rest - _LONGEST * self.num_decoys
        noise = rest - _spared(self.kinds) * self.num_decoys
        most = free * (self.items if len(self.negatives) else _spared(self.kinds))
        if least < 0 or noise > most:
            what = f"A history of {self.length} events would have {least} to {noise} of noise; "
            what += f"0 to {most} fit."
            fix = "Change length, events or interests."
            raise BadInput(what, f"{where}: length", fix)

    @property
    def negatives(self) -> tuple[Polarity, ...]:
        """Negative polarities of the log."""
        return tuple(kind for kind in self.kinds if kind.endswith("negative"))


@dataclass(frozen=True)
class PlantedUsers:
    """A generated log with the truth behind it."""

    options: PlantedOptions
    frame: pl.DataFrame
    """`user_id`, `item_id`, `timestamp`, `event`; user by user, oldest first"""
    texts: dict[str, str]
    """item id → its text"""
    topics: dict[str, int]
    """item id → number of its topic, from 1"""
    planted: dict[str, dict[int, Role]]
    """user id → topic → what it is to them; topics not seen are not named"""

    @cached_property
    def declared(self) -> Declaration:
        """What the kinds of events mean."""
        events = {EVENTS[kind]: kind for kind in self.options.kinds}
        return Declaration(name="planted interests", events=events)

    @cached_property
    def oracle(self) -> dict[str, frozenset[int]]:
        """O_u: user id → topics of their interests."""
        return {
            user: frozenset(topic for topic, role in roles.items() if role == "interest")
            for user, roles in self.planted.items()
        }

    def relevant(self, topic: int, items: Iterable[str]) -> list[str]:
        """Those of `items` that are of a topic: F_j of an interest in it that cites them."""
        return [item for item in items if self.topics.get(item) == topic]

    def distractors(self, user: str, items: Iterable[str]) -> list[str]:
        """Those of `items` that are of none of the user's interests."""
        own = self.oracle[user]
        return [item for item in items if item in self.topics and self.topics[item] not in own]

    def interactions(self) -> Interactions:
        """The whole log."""
        return Interactions.from_frame(self.frame)

    def catalog(self) -> Catalog:
        """Items with text and topic."""
        names = list(TOPICS)
        columns = {
            "item_id": list(self.texts),
            "text": list(self.texts.values()),
            "categories": [[names[self.topics[item] - 1]] for item in self.texts],
        }
        frame = pl.DataFrame(columns)
        missing = [name for name in SCHEMA if name not in columns]
        frame = frame.with_columns(pl.lit(None).cast(SCHEMA[name]).alias(name) for name in missing)
        return Catalog(frame.select(list(SCHEMA)))

    def dataset(self) -> Dataset:
        """The log with its catalogue and what its kinds of events mean."""
        log, none = self.interactions(), pl.DataFrame()
        name = self.declared.name
        return Dataset(name, log, self.catalog(), self.declared, "planted_interests", none)


def plant_users(options: PlantedOptions | None = None) -> PlantedUsers:
    """Generate the world; equal options give equal worlds."""
    options = options or PlantedOptions()
    rng = np.random.default_rng(options.seed)
    texts = topic_texts(options.items, options.ambiguity, rng)
    topics = {item: int(item[1:]) // options.items + 1 for item in texts}
    common = 1.0 / np.arange(2, len(TOPICS) + 2)
    order = rng.permutation(len(TOPICS))
    weights = np.empty(len(TOPICS))
    weights[order] = common / common.sum()
    planted: dict[str, dict[int, Role]] = {}
    rows: list[tuple[str, str, int, str]] = []
    for number in range(options.users):
        user = f"u{number}"
        events, planted[user] = _history(options, weights, rng)
        places = rng.permutation(len(events))
        rows += [
            (user, events[place][0], START + 3_600 * step, EVENTS[events[place][1]])
            for step, place in enumerate(places)
        ]
    schema = {"user_id": pl.String, "item_id": pl.String, "timestamp": pl.Int64, "event": pl.String}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return PlantedUsers(options, frame, texts, topics, planted)


def _history(
    options: PlantedOptions, weights: Floats, rng: np.random.Generator
) -> tuple[list[tuple[str, Polarity]], dict[int, Role]]:
    """Events of one user, in no order, and what each topic is to them."""
    many = options.interests + options.num_decoys
    drawn = [int(topic) + 1 for topic in rng.choice(len(TOPICS), many, replace=False, p=weights)]
    roles: dict[int, Role] = dict.fromkeys(drawn, "decoy")
    roles |= dict.fromkeys(drawn[: options.interests], "interest")
    said = {
        topic: _interest(options, rng) if role == "interest" else _decoy(options, rng)
        for topic, role in roles.items()
    }
    rest = [topic for topic in range(1, len(TOPICS) + 1) if topic not in roles]
    left = options.length - sum(map(len, said.values()))
    for topic in _spread(rest, left, rng):
        roles[topic] = "noise"
        said.setdefault(topic, []).append(_noise(len(said.get(topic, [])), options, rng))
    events = []
    for topic, kinds in said.items():
        numbers = (topic - 1) * options.items + rng.permutation(options.items)[: len(kinds)]
        events += [(f"i{number}", kind) for number, kind in zip(numbers, kinds, strict=True)]
    return events, roles


def _interest(options: PlantedOptions, rng: np.random.Generator) -> list[Polarity]:
    """Polarities that prove an interest: enough, and then more, with few negatives among them."""
    arms: tuple[tuple[Polarity, ...], ...] = (
        ("implicit_positive",) * 3,
        ("explicit_positive",) * 2,
        ("explicit_positive", "implicit_positive", "implicit_positive"),
    )
    able = [arm for arm in arms if set(arm) <= set(options.kinds)]
    said = list(able[int(rng.integers(len(able)))])
    limits = {"implicit_negative": 3, "explicit_negative": 2}
    while len(said) < options.events:
        kind = options.kinds[int(rng.integers(len(options.kinds)))]
        if said.count(kind) < limits.get(kind, options.events):
            said.append(kind)
    return said


def _decoy(options: PlantedOptions, rng: np.random.Generator) -> list[Polarity]:
    """Polarities that just fail to prove an interest."""
    views: Polarity = "implicit_positive"
    if views not in options.kinds:
        return ["explicit_positive"]
    if "implicit_negative" in options.kinds and rng.random() < 0.5:
        return [views] * 3 + ["implicit_negative"] * 4
    return [views] * 2


def _spared(kinds: Sequence[Polarity]) -> int:
    """Positive events of a topic that prove nothing: two implicit ones, or one explicit."""
    return 2 if "implicit_positive" in kinds else 1


def _spread(topics: list[int], many: int, rng: np.random.Generator) -> list[int]:
    """A topic an event of noise, all about equally often."""
    rounds = -(-many // len(topics))
    everything = [
        topics[place] for _ in range(rounds) for place in rng.permutation(len(topics)).tolist()
    ]
    return everything[:many]


def _noise(before: int, options: PlantedOptions, rng: np.random.Generator) -> Polarity:
    """Polarity of the next event of a topic that is noise: never one that proves anything."""
    positive: Polarity = (
        "implicit_positive" if "implicit_positive" in options.kinds else "explicit_positive"
    )
    if before < _spared(options.kinds) and (not options.negatives or rng.random() < 0.5):
        return positive
    return options.negatives[int(rng.integers(len(options.negatives)))]
