"""Specificity (IS): can somebody pick an interest's items out of others, given its name alone?

Paper: GISTBench (arXiv 2603.29112). Interest j is shown in a line-up: k = min(5, |B_j in the user's
history|) of its cited items among distractors, 50 items in total, in an order drawn by lot. A judge
picks the k that support the interest. With correct_j the cited items among those picked, C the
predicted categories and n_c the interests in category c,

    S_c = (1 / n_c) Σ_{j in c} correct_j / k_j   (k_j = 0 gives 0)
    IS  = mean of S_c over the categories with G_c > 0   (0 where there is none)

`reference` counts all that are picked, so that who picks everything is always right, and lets
distractors be other items of the user's history. `strict` counts the first k distinct items picked,
draws no distractor from the user's history, and reports how precise the picks are, and IS over the
relevant items F_j.

Every lot is drawn by the order of sha256 hashes, so that line-ups depend on seed, user, interest
and item ids alone: not on the process, the machine or the version of a library.

Left out: who judges. Checked: line-ups of two processes with other hash seeds, and golden vectors.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from tastemaker.data.signals import UserSignals
from tastemaker.errors import BadInput
from tastemaker.options import SEEDS
from tastemaker.understand.groundedness import Category
from tastemaker.understand.interests import Interest, Mode


@dataclass(frozen=True)
class SpecificityOptions:
    """Sizes of the test; defaults are the paper's."""

    pool: int = 1000
    """items of the whole data set that distractors are drawn from"""
    size: int = 50
    """items of a line-up, cited ones among them"""
    backing: int = 5
    """most cited items of a line-up"""
    text: int = 200
    """characters of an item's text that a judge is shown while the pool is filtered"""
    seed: int = 42

    def __post_init__(self) -> None:
        """Refuse a seed that is none, and sizes that leave no test."""
        if not 0 <= self.seed < SEEDS:
            fix = f"Give a whole number from 0 to {SEEDS - 1:,}."
            raise BadInput(f"seed = {self.seed} is no seed.", "seed", fix)
        if min(self.pool, self.size, self.backing, self.text) < 1 or self.backing >= self.size:
            what = f"A line-up of {self.size} items has no room for {self.backing} and distractors."
            fix = "Give sizes of 1 or more, and more items than cited ones."
            raise BadInput(what, "specificity", fix)


@dataclass(frozen=True)
class LineUp:
    """The items that a judge is shown for one interest."""

    items: tuple[str, ...]
    """ids in the order shown"""
    backing: frozenset[str]
    """those that the interest cites; k of them"""

    @property
    def k(self) -> int:
        """How many items the judge is asked for."""
        return len(self.backing)


@dataclass(frozen=True)
class Picked:
    """What a judge picked of one line-up."""

    backing: int
    """k"""
    correct: int
    """cited items among those that count"""
    picked: int
    """distinct items of the line-up picked, also beyond k"""
    right: int
    """cited items among all picked"""
    relevant: int
    """cited items of the line-up that are in F_j"""
    relevant_correct: int
    """those of them among the items that count"""

    @property
    def share(self) -> float:
        """correct_j / k_j; 0 where nothing could be cited."""
        return self.correct / self.backing if self.backing else 0.0

    @property
    def relevant_share(self) -> float:
        """The same over F_j alone."""
        return self.relevant_correct / self.relevant if self.relevant else 0.0


NOTHING = Picked(0, 0, 0, 0, 0, 0)
"""Of an interest that cites nothing of the history, or whose judge gave no answer that was read."""


def drawn(items: Iterable[str], many: int, *lot: object) -> list[str]:
    """Up to `many` distinct items in an order drawn by lot: that of sha256 over lot and id."""
    seeded = hashlib.sha256("\x1f".join(map(str, lot)).encode() + b"\x1e")

    def place(item: str) -> bytes:
        one = seeded.copy()
        one.update(item.encode())
        return one.digest()

    return sorted(set(items), key=place)[:many]


def draw_pool(items: Iterable[str], options: SpecificityOptions) -> list[str]:
    """The pool of distractors: up to `options.pool` distinct items of the whole data set."""
    return drawn(items, options.pool, options.seed, "pool")


def draw_line_up(
    user: UserSignals,
    interest: Interest,
    pool: Iterable[str],
    options: SpecificityOptions,
    mode: Mode = "strict",
) -> LineUp:
    """The line-up of one interest.

    Args:
        user: Whose interest it is.
        interest: Cited items that are not of the user's history cannot back it.
        pool: Distractors of this user: the pool without what overlaps any of their interests.
        options: Sizes and seed.
        mode: `strict` shows no distractor of the user's history.
    """
    lot = (options.seed, user.user, interest.name)
    cited = {item for item in interest.cited if item in user.items}
    backing = drawn(cited, options.backing, *lot, "backing")
    apart = cited.union(user.items) if mode == "strict" else cited
    others = (item for item in pool if item not in apart)
    distractors = drawn(others, options.size - len(backing), *lot, "distractors")
    shown = drawn([*backing, *distractors], options.size, *lot, "order")
    return LineUp(tuple(shown), frozenset(backing))


def picked(
    line_up: LineUp,
    picks: Sequence[str],
    relevant: Collection[str] | None = None,
    mode: Mode = "strict",
) -> Picked:
    """Count what a judge picked.

    Args:
        line_up: What was shown.
        picks: Item ids in the order named; those not shown do not count.
        relevant: F_j; None: all cited items.
        mode: `strict` counts the first k distinct picks, `reference` all.
    """
    shown = set(line_up.items)
    distinct = [item for item in dict.fromkeys(picks) if item in shown]
    counting = line_up.backing.intersection(distinct[: line_up.k] if mode == "strict" else distinct)
    inside = line_up.backing if relevant is None else line_up.backing.intersection(relevant)
    right = len(line_up.backing.intersection(distinct))
    return Picked(
        line_up.k, len(counting), len(distinct), right, len(inside), len(counting & inside)
    )


def specificity(
    categories: Sequence[Category], shares: Sequence[float], verified: Mapping[Category, float]
) -> float:
    """IS of one user.

    Args:
        categories: (J,) c(j) of each interest predicted.
        shares: (J,) correct_j / k_j, also of interests that are not verified.
        verified: G_c of each category (`groundedness.shares_verified`).
    """
    inside: dict[Category, list[float]] = {}
    for category, share in zip(categories, shares, strict=True):
        if verified[category] > 0:
            inside.setdefault(category, []).append(share)
    means = [sum(each) / len(each) for each in inside.values()]
    return sum(means) / len(means) if means else 0.0


def pick_precision(counted: Iterable[Picked]) -> float | None:
    """Share of all picks that are cited items; None where nothing was picked."""
    several = list(counted)
    total = sum(one.picked for one in several)
    return sum(one.right for one in several) / total if total else None
