"""A world of short videos: what is viewed, liked and shared follows different wishes of one user.

Videos have one of twelve categories, the largest six times the rarest, which the catalogue tells,
and one of four styles, which it does not. A user has, all drawn by lot:

- an interest, one category that lasts a session, six events on average, and then gives way to
  another: to one of the user's tastes every other time, else to any, large ones more often;
- tastes, three categories that weigh 5 : 3 : 2, and a favourite style, which never change;
- a circle, one other category that never changes: what friends are sent.

Each event is of a kind by lot, and its kind says where its category comes from (`wishes.MIX`) and
what counts within the category. Views follow the interest, and within it what is popular and has
its wave: for three days a video is viewed six times as often. Likes follow the tastes, and within
them the favourite style and quality, which is another order than popularity. Shares follow the
circle, and within it one video in ten that is made for sharing. Skips are of what is neither
interest nor taste. No user meets a video twice.

So the next event is mostly of the interest, which the last few events tell. What comes ten events
later is of another interest, and tastes say more of it. Tastes and style show in one event in
three, hidden among sessions: who knows all chances and sessions names the main taste of half the
users from twenty events, and of nine in ten from two hundred. A longer context is thus worth
something to whoever can read it. Nothing here asks for heads: one output may learn all of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.datasets import Dataset
from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.parquet import write_parquet
from tastemaker.data.reading import read_interactions
from tastemaker.data.tables import from_frame
from tastemaker.errors import BadInput
from tastemaker.worlds.logs import START
from tastemaker.worlds.wishes import (
    CATEGORIES,
    CHANCE,
    KINDS,
    SWITCH,
    Floats,
    Int64s,
    Wishes,
    plant,
)

DAY = 86_400
DECLARED = Declaration(
    name="short videos",
    events={
        "view": "implicit_positive",
        "like": "explicit_positive",
        "share": "explicit_positive",
        "skip": "implicit_negative",
    },
)


@dataclass(frozen=True)
class ShortVideos:
    """A generated log with the truth behind it."""

    frame: pl.DataFrame
    """`user_id`, `item_id`, `timestamp`, `event`; user by user, oldest first"""
    rows: Int64s
    """(U, L) video numbers of the same events; user number u has the id `u` and u"""
    truth: Wishes
    """what was planted"""

    def interactions(self) -> Interactions:
        """The whole log, skips among it; models learn from `dataset().positives()`."""
        table = from_frame(self.frame)
        return read_interactions(table, DECLARED, self.catalog().frame["item_id"]).interactions

    def catalog(self) -> Catalog:
        """The videos with their category."""
        names = [[CATEGORIES[category]] for category in self.truth.categories]
        ids = [f"v{number}" for number in range(len(names))]
        frame = pl.DataFrame({"item_id": ids, "categories": names})
        missing = [name for name in SCHEMA if name not in frame.columns]
        frame = frame.with_columns(pl.lit(None).cast(SCHEMA[name]).alias(name) for name in missing)
        return Catalog(frame.select(list(SCHEMA)))

    def dataset(self) -> Dataset:
        """The log with its catalogue and what its kinds of events mean."""
        log, none = self.interactions(), pl.DataFrame()
        return Dataset(DECLARED.name, log, self.catalog(), DECLARED, "short_videos", none)

    def write(self, folder: Path) -> None:
        """Write a folder that `data.datasets.load` and every command read."""
        folder.mkdir(parents=True, exist_ok=True)
        write_parquet(folder / "interactions.parquet", self.frame)
        self.catalog().save(folder / "items.parquet")
        DECLARED.save(folder / "dataset.json")

    def chances(
        self, users: Int64s, steps: Int64s, kinds: Sequence[str] = KINDS[:3], ahead: int = 0
    ) -> Floats:
        """(R, I) chance of each video to come, to one who knows the user's wishes.

        Known are tastes, style, circle, the interest and day of the event before, and all events
        before; unknown are the kind of the event and whether new sessions begin. Nobody ranks the
        next event better.

        Args:
            users: (R,) user numbers.
            steps: (R,) how many events of each user are known, 1 or more.
            kinds: Kinds that the event may be of, of positive polarity.
            ahead: Events between those known and the one asked for; 0 asks for the next.
        """
        truth, before = self.truth, (users, steps - 1)
        seen = np.zeros((len(users), len(truth.categories)), bool)
        past = np.arange(self.rows.shape[1]) < steps[:, None]
        seen[np.nonzero(past)[0], self.rows[users][past]] = True
        numbers = [KINDS.index(kind) for kind in kinds]
        weights = CHANCE[numbers] / CHANCE[numbers].sum()
        same, last = np.eye(len(truth.sizes))[truth.interests[before]], truth.num_days - 1
        total = np.zeros(seen.shape)
        for turns in range(ahead + 2):
            stays = (1 - SWITCH) ** (ahead + 1 - turns)
            chance = math.comb(ahead + 1, turns) * SWITCH**turns * stays
            interests = truth.begun(users) if turns else same
            days = np.minimum(truth.days[before] + turns, last)
            for number, weight in zip(numbers, weights, strict=True):
                kind = np.full(len(users), number)
                aims, tables = truth.aims(users, kind, interests), truth.tables(users, kind, days)
                total += chance * weight * truth.spread(aims, tables, seen)
        return total

    def ceiling(self, k: int = 10) -> dict[str, float]:
        """HR@k and NDCG@k of who knows all wishes, on each user's newest event but for skips."""
        ranks = np.concatenate(list(self._ranks()))
        gains = np.where(ranks < k, 1 / np.log2(ranks + 2), 0)
        return {f"hr@{k}": float((ranks < k).mean()), f"ndcg@{k}": float(gains.mean())}

    def _ranks(self) -> Iterator[Int64s]:
        """Place, from 0, of the newest positive video of users, some hundred users at a time."""
        steps = np.arange(self.rows.shape[1])
        newest = np.where(self.truth.kinds < KINDS.index("skip"), steps, 0).max(1)
        able = np.flatnonzero(newest)
        for users in np.split(able, range(500, len(able), 500)):
            found = self.chances(users, newest[users])
            own = found[np.arange(len(users)), self.rows[users, newest[users]]]
            yield (found > own[:, None]).sum(1)


def short_videos(
    users: int = 2_000, length: int = 200, items: int = 2_000, seed: int = 0
) -> ShortVideos:
    """Generate the world; equal arguments give equal worlds.

    Args:
        users: Number of users.
        length: Events a user, all of different videos.
        items: Number of videos.
        seed: Of the generator.

    Raises:
        BadInput: If there are too few videos for histories without repeats.
    """
    if items < max(length, 5 * len(CATEGORIES)):
        what = f"{items:,} videos are too few for {length:,} different ones a user."
        least = max(length, 5 * len(CATEGORIES))
        raise BadInput(what, "items", f"Use at least {least:,}, better ten times the length.")
    rng = np.random.default_rng(seed)
    truth = plant(users, length, items, rng)
    rows = _events(truth, rng)
    clock = START + truth.days * DAY + 30 * np.arange(length)
    clock += rng.integers(0, DAY // 2, (users, 1))
    frame = pl.DataFrame(
        {
            "user_id": np.char.add("u", np.repeat(np.arange(users), length).astype(str)),
            "item_id": np.char.add("v", rows.ravel().astype(str)),
            "timestamp": clock.ravel(),
            "event": np.array(KINDS)[truth.kinds.ravel()],
        }
    )
    return ShortVideos(frame, rows, truth)


def _events(truth: Wishes, rng: np.random.Generator) -> Int64s:
    """(U, L) a video an event, by its kind, interest and day; different ones for a user."""
    users, length = truth.kinds.shape
    seen = np.zeros((users, len(truth.categories)), bool)
    rows, everyone = np.zeros((users, length), np.int64), np.arange(users)
    edges = np.concatenate([[0.0], np.cumsum(truth.weights)])
    starts = np.searchsorted(truth.categories, np.arange(len(CATEGORIES) + 1))
    for step in range(length):
        kinds, days = truth.kinds[:, step], truth.days[:, step]
        aims = truth.aims(everyone, kinds, np.eye(len(CATEGORIES))[truth.interests[:, step]])
        category = (np.cumsum(aims, 1)[:, :-1] < rng.random((users, 1))).sum(1)
        tables = truth.tables(everyone, kinds, days)
        first, end = (tables * seen.shape[1] + starts[category + more] for more in (0, 1))
        waiting = everyone
        for _ in range(8):
            low, high = edges[first[waiting]], edges[end[waiting]]
            drawn = np.searchsorted(edges, low + rng.random(len(low)) * (high - low), "right") - 1
            drawn = np.clip(drawn, first[waiting], end[waiting] - 1) % seen.shape[1]
            rows[waiting, step] = drawn
            waiting = waiting[seen[waiting, drawn]]
        if len(waiting):  # the same chances, without luck
            only = np.eye(len(CATEGORIES))[category[waiting]]
            sums = np.cumsum(truth.spread(only, tables[waiting], seen[waiting]), 1)
            spot = rng.random((len(waiting), 1)) * sums[:, -1:]
            rows[waiting, step] = (sums <= spot).sum(1)
        seen[everyone, rows[:, step]] = True
    return rows
