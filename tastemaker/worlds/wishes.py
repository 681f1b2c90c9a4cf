"""The wishes behind the world of short videos: what users want, and what chance that gives a video.

See `short_videos` for what is planted and why.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CATEGORIES = ("comedy", "music", "sports", "games", "food", "beauty",
              "animals", "travel", "cars", "crafts", "science", "chess")  # fmt: skip
"""From the largest, about a quarter of all videos, to the rarest, one in twenty-five."""
KINDS = ("view", "like", "share", "skip")
CHANCE = np.array([0.66, 0.15, 0.04, 0.15])
"""Of each kind of event."""
MIX = np.array([[0.65, 0.20, 0.0, 0.15], [0.10, 0.80, 0.0, 0.10], [0.20, 0.0, 0.65, 0.15]])
"""Of a view, a like and a share: chance that its category is the interest, a taste, the circle, or
any, large ones more often."""
SWITCH = 1 / 6
"""Chance that an event begins a new session, a day later."""
RETURN = 0.5
"""Chance that a new session is of a taste."""
TASTES = np.array([0.5, 0.3, 0.2])
"""What the first, second and third taste of a user weigh."""
STYLES = 4
"""Styles of videos; a like within a category is mostly of the user's favourite."""
WAVE, LIFT = 3, 6.0
"""Days that a wave lasts, and how much more often a video is then viewed."""


@dataclass(frozen=True)
class Wishes:
    """What was planted: U users, L events each, I videos, C categories, D days."""

    categories: Int64s
    """(I,) category of each video, rising; number i has the id `v` and i"""
    shareable: Bools
    """(I,) videos made for sharing"""
    styles: Int64s
    """(I,) style of each video, which no catalogue tells"""
    tastes: Floats
    """(U, C) how much each category is a user's taste; rows sum to 1"""
    circles: Int64s
    """(U,) category that a user shares"""
    favourites: Int64s
    """(U,) style that a user likes"""
    interests: Int64s
    """(U, L) category of the session of each event"""
    days: Int64s
    """(U, L) day of each event; each session has its own"""
    kinds: Int64s
    """(U, L) index into `KINDS`"""
    weights: Floats
    """(D+S+1, I) how much a video counts within its category: for views and skips of each day, then
    for likes of who prefers each style, then for shares"""

    @property
    def sizes(self) -> Floats:
        """(C,) share of each category in all videos."""
        sizes: Floats = np.bincount(self.categories) / len(self.categories)
        return sizes

    @property
    def num_days(self) -> int:
        """Days D that `weights` knows; sessions leave the last one free."""
        return len(self.weights) - STYLES - 1

    def aims(self, users: Int64s, kinds: Int64s, interests: Floats) -> Floats:
        """(R, C) chance of each category, for R users whose interest has chances `interests`."""
        tastes, circles = self.tastes[users], np.eye(len(self.sizes))[self.circles[users]]
        skipped = kinds == KINDS.index("skip")
        mix = MIX[np.where(skipped, 0, kinds), :, None]
        aims = mix[:, 0] * interests + mix[:, 1] * tastes + mix[:, 2] * circles
        aims += mix[:, 3] * self.sizes
        off = self.sizes * ((interests == 0) & (tastes == 0))
        aims = np.where(skipped[:, None], off, aims)
        chances: Floats = aims / aims.sum(1, keepdims=True)
        return chances

    def tables(self, users: Int64s, kinds: Int64s, days: Int64s) -> Int64s:
        """(R,) row of `weights` that counts for an event of each user, kind and day."""
        last = len(self.weights) - 1
        rows: Int64s = np.choose(kinds, [days, last - STYLES + self.favourites[users], last, days])
        return rows

    def begun(self, users: Int64s) -> Floats:
        """(R, C) chance of each category to be the interest of a new session."""
        return RETURN * self.tastes[users] + (1 - RETURN) * self.sizes

    def spread(self, aims: Floats, tables: Int64s, seen: Bools) -> Floats:
        """(R, I) chance of each video; where a category is used up, any other is as good.

        Args:
            aims: (R, C) chance of each category.
            tables: (R,) row of `weights`.
            seen: (R, I) videos that cannot come again.
        """
        free = np.where(seen, 0.0, self.weights[tables])
        starts = np.searchsorted(self.categories, np.arange(len(self.sizes)))
        sums = np.add.reduceat(free, starts, axis=1)
        rate = np.divide(aims, sums, out=np.zeros_like(aims), where=sums > 0)
        lost = (aims * (sums == 0)).sum(1) / np.maximum(free.sum(1), 1e-300)
        chances: Floats = free * (rate[:, self.categories] + lost[:, None])
        return chances


def plant(users: int, length: int, items: int, rng: np.random.Generator) -> Wishes:
    """Draw videos, users and sessions; which videos the events are of is drawn from them later."""
    number, each = len(CATEGORIES), np.arange(users)[:, None]
    share = 1 / np.arange(1, number + 1) ** 0.75
    ends = np.round(items * np.cumsum(share) / share.sum())
    categories = np.searchsorted(ends, np.arange(items), side="right")
    sizes = np.bincount(categories) / items
    # The largest Gumbel-shifted logs are a weighted sample without replacement.
    keys = np.log(sizes) / 2 + rng.gumbel(size=(users, number))
    tastes = np.zeros((users, number))
    tastes[each, np.argsort(-keys, axis=1)[:, : len(TASTES)]] = TASTES
    circles = np.where(tastes > 0, -1, rng.random((users, number))).argmax(1)
    switches = rng.random((users, length)) < SWITCH
    switches[:, :1] = True
    begun = np.cumsum(RETURN * tastes + (1 - RETURN) * sizes, 1)[:, None, :-1]
    drawn = (begun < rng.random((users, length, 1))).sum(2)
    newest = np.maximum.accumulate(np.where(switches, np.arange(length), 0), 1)
    days = rng.integers(0, 14, (users, 1)) + np.cumsum(switches, 1)
    place = np.arange(items) - np.searchsorted(categories, categories)
    styles = rng.integers(0, STYLES, items)
    shareable = place % 10 == 4
    return Wishes(
        categories=categories,
        shareable=shareable,
        styles=styles,
        tastes=tastes,
        circles=circles,
        favourites=rng.integers(0, STYLES, users),
        interests=drawn[each, newest],
        days=days,
        kinds=rng.choice(len(KINDS), (users, length), p=CHANCE),
        weights=np.vstack(
            [
                _views(place, int(days.max()) + 2, rng),
                _likes(styles, rng),
                np.where(shareable, 1, 0.01),
            ]
        ),
    )


def _views(place: Int64s, days: int, rng: np.random.Generator) -> Floats:
    """(days, I) what is popular, by each video's place in its category, and has its wave."""
    born = rng.integers(1 - WAVE, days, len(place))
    age = np.arange(days)[:, None] - born
    views: Floats = np.where((age >= 0) & (age < WAVE), LIFT, 1) / (1 + place) ** 0.7
    return views


def _likes(styles: Int64s, rng: np.random.Generator) -> Floats:
    """(S, I) quality, an order of its own, of videos of each style; others count little."""
    quality = 1 / (1 + rng.permutation(len(styles)) / len(CATEGORIES)) ** 0.5
    likes: Floats = quality * np.where(styles == np.arange(STYLES)[:, None], 1, 0.05)
    return likes
