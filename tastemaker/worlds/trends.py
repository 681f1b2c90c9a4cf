"""A world of topics and trends: for a few days some items are taken together with everything.

Items have a topic that their texts tell. A session is about one topic. On any day a few items are a
trend: with a probability that is the trend's strength, an event of any session is one of them. What
goes with what for a few weeks is thereby not what goes together: whoever learns from co-engagement
alone learns trends that are over when it is asked. How popular items are within their topic drifts
too. The topic is a label of relevance that no encoder judges.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.interactions import Interactions
from tastemaker.worlds.logs import START

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

DAY = 86_400
WORDS = 30
"""Words of a topic, and as many that belong to none."""
LENGTH = 8
"""Words of an item's text."""


@dataclass(frozen=True)
class TrendOptions:
    """The knobs of the world."""

    users: int = 800
    items: int = 500
    topics: int = 10
    days: int = 30
    session: int = 6
    """events of a session; a user has one on every third day, by lot"""
    strength: float = 0.3
    """probability that an event is of a trend, 0 to 1; 0: no trends"""
    trending: int = 4
    """items that are a trend at a time"""
    burst: int = 3
    """days that a trend lasts"""
    noise: float = 0.5
    """probability that a word of a text says nothing of the topic, 0 to 1"""
    drift: float = 0.5
    """how far popularity within a topic moves by the last day, 0 (not) to 1 (to another order)"""
    seed: int = 0


@dataclass(frozen=True)
class TrendWorld:
    """A generated log with the truth behind it."""

    frame: pl.DataFrame
    """`user_id`, `item_id`, `timestamp`"""
    texts: tuple[str, ...]
    """(items,) what is written about item number i, whose id is `i` and its number"""
    topics: Int64s
    """(items,) the topic of each"""
    trends: Int64s
    """(days, trending) numbers of the items that are a trend on each day"""

    def interactions(self) -> Interactions:
        """The log as a model reads it."""
        return Interactions.from_frame(self.frame)

    def catalog(self) -> Catalog:
        """The items with their texts; topics are for judging alone."""
        ids = [f"i{number}" for number in range(len(self.texts))]
        frame = pl.DataFrame({"item_id": ids, "text": self.texts})
        missing = [name for name in SCHEMA if name not in frame.columns]
        frame = frame.with_columns(pl.lit(None).cast(SCHEMA[name]).alias(name) for name in missing)
        return Catalog(frame.select(list(SCHEMA)))

    def topic_of(self, item_ids: pl.Series) -> Int64s:
        """(I,) topics of the items of a log, in the order of its ids."""
        numbers = item_ids.str.slice(1).cast(pl.Int64).to_numpy()
        topics: Int64s = self.topics[numbers]
        return topics


def trend_bursts(options: TrendOptions | None = None) -> TrendWorld:
    """Generate the world; equal options give equal worlds, and other strengths the same items.

    Args:
        options: The knobs; default: all as they stand.
    """
    o = options or TrendOptions()
    rng = np.random.default_rng(o.seed)
    topics = rng.permutation(np.arange(o.items) % o.topics)
    texts = _texts(topics, o, rng)
    users, days = np.nonzero(rng.random((o.users, o.days)) < 1 / 3)
    tastes = np.argsort(rng.random((o.users, o.topics)), axis=1)[:, :2]
    about = tastes[users, (rng.random(len(users)) < 1 / 3).astype(np.int64)]
    rows = _of_topic(topics, about, days, o, rng)
    blocks = -(-o.days // o.burst)
    trends = np.stack([rng.choice(o.items, o.trending, replace=False) for _ in range(blocks)])
    trends = np.repeat(trends, o.burst, axis=0)[: o.days]
    picked = trends[days[:, None], rng.integers(0, o.trending, rows.shape)]
    rows = np.where(rng.random(rows.shape) < o.strength, picked, rows)
    times = START + days * DAY + rng.integers(0, DAY - 60 * o.session, len(days))
    frame = pl.DataFrame(
        {
            "user_id": np.char.add("u", np.repeat(users, o.session).astype(str)),
            "item_id": np.char.add("i", rows.ravel().astype(str)),
            "timestamp": (times[:, None] + 60 * np.arange(o.session)).ravel(),
        }
    )
    return TrendWorld(frame, texts, topics, trends)


def _of_topic(
    topics: Int64s, about: Int64s, days: Int64s, o: TrendOptions, rng: np.random.Generator
) -> Int64s:
    """(sessions, session) different items of each session's topic, popular ones more often."""
    first, last = rng.permutation(o.items), rng.permutation(o.items)
    late: Floats = o.drift * days / max(1, o.days - 1)
    weights = [1 / (1 + order / o.topics) ** 0.8 for order in (first, last)]
    weight = (1 - late[:, None]) * weights[0] + late[:, None] * weights[1]  # (sessions, items)
    weight = np.where(topics == about[:, None], weight, 1e-12)
    # The largest Gumbel-shifted logs are a weighted sample without replacement.
    keys = np.log(weight) + rng.gumbel(size=weight.shape)
    chosen = np.argpartition(-keys, o.session, axis=1)[:, : o.session]
    return rng.permuted(chosen, axis=1)


def _texts(topics: Int64s, o: TrendOptions, rng: np.random.Generator) -> tuple[str, ...]:
    """A text an item of words of its topic and, as often as noise says, of none."""
    words = rng.integers(0, WORDS, (o.items, LENGTH))
    idle = rng.random((o.items, LENGTH)) < o.noise
    return tuple(
        " ".join(
            f"any{word}" if nothing else f"t{topic}w{word}"
            for word, nothing in zip(row, rest, strict=True)
        )
        for topic, row, rest in zip(topics, words, idle, strict=True)
    )
