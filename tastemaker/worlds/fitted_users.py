"""Synthetic users fitted to a real log's marginals: like it in sum, and nobody of it.

Fitted are events a user, polarities, and how they and categories spread over users, the popularity
of items and categories, how often an item is met again, and the seconds between events. A user's
shares of categories are drawn from a Dirichlet distribution about the shares m of all events,

    p ~ Dirichlet(a m)    where  a = (1 − s) / (s − Σ m²)

gives them the concentration s, drawn by lot from those of real users; and so are their shares of
polarities. An item is then drawn by its popularity within its category. Lots are drawn between the
values of real users, so that even a length need not be any real one.

Left out: order, what follows what; that polarity depends on the item or its category; and that long
histories differ from short ones in more than length. So no pattern of a real history can be kept:
none is read but to be counted. Items are new ones, with a text made of their categories alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker import files
from tastemaker.counts import counted
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Int64s
from tastemaker.data.declaration import POLARITIES, Declaration
from tastemaker.data.gist_rows import DECLARED, GistRows
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import polarities
from tastemaker.errors import BadInput
from tastemaker.worlds.behaviour import Behaviour, concentrations
from tastemaker.worlds.fidelity import Fidelity, fidelity, largest_difference
from tastemaker.worlds.fitted_items import fitted_items, new_names

Floats = npt.NDArray[np.float64]
LEAST_USERS = 10
"""Users without whom a log's marginals are those of somebody."""
_TOLD = 10
"""Events of users whose shares are trusted where there are enough such users."""
_TRIED = 400
"""Users drawn to try how far concentrations are to be spread."""


@dataclass(frozen=True)
class FittedUsers:
    """A synthetic log."""

    frame: pl.DataFrame
    """`user_id`, `item_id`, `event` (a polarity), and `timestamp` where the real log has times;
    user by user, oldest first"""
    catalog: Catalog
    """items with text and categories"""
    fidelity: Fidelity
    """how like the real log it is"""

    def interactions(self) -> Interactions:
        """The whole log; `gist_rows.DECLARED` says what its events mean."""
        return Interactions.from_frame(self.frame)

    def rows(self) -> GistRows:
        """The log as GISTBench has it."""
        texts = dict(self.catalog.frame.select("item_id", "text").iter_rows())
        return GistRows(self.interactions(), texts)

    def write(self, folder: Path) -> None:
        """Write rows.csv, items.parquet and fidelity.json; `open_task` reads such a folder.

        Raises:
            OutOfResources: If the disk is full or may not be written.
        """
        files.make_folder(folder)
        self.rows().save(folder / "rows.csv")
        self.catalog.save(folder / "items.parquet")
        files.write_json(folder / "fidelity.json", self.fidelity.to_json())


def fitted_users(
    log: Interactions, declared: Declaration, catalog: Catalog, users: int, seed: int = 0
) -> FittedUsers:
    """Draw synthetic users; equal arguments give equal ones.

    Args:
        log: The real log, negatives among it.
        declared: What its events and values mean.
        catalog: Its items; may be empty.
        users: How many to draw.
        seed: Of all lots.

    Raises:
        BadInput: If the log has too few users to hide anybody, or an event is not declared.
    """
    if users < 1:
        raise BadInput(f"{users} users cannot be drawn.", "users", "Draw one or more.")
    real = _behaviour(log, declared, catalog)
    rng = np.random.default_rng(seed)
    shelf = fitted_items(real, rng)
    lengths = np.maximum(between(real.log.lengths, users, rng).round(), 1).astype(np.int64)
    tastes = shares(real.by_category, users, rng)
    moods = np.cumsum(shares(real.by_polarity, users, rng), 1)
    owners = np.repeat(np.arange(users), lengths)
    again = rng.binomial(lengths - 1, real.repeats)
    items = [
        shelf.history(taste, int(length), int(old), rng)
        for taste, length, old in zip(tastes, lengths, again, strict=True)
    ]
    kinds = (moods[owners, :-1] < rng.random((len(owners), 1))).sum(1)
    names = new_names("user", users, set(real.log.user_ids))
    columns = {
        "user_id": pl.Series(names).gather(owners),
        "item_id": shelf.ids.gather(np.concatenate(items)),
        "event": pl.Series(POLARITIES).gather(kinds),
    }
    if real.log.times is not None:
        columns["timestamp"] = pl.Series(_times(real, lengths, rng))
    frame, made = pl.DataFrame(columns), shelf.catalog(rng)
    told = Interactions.from_frame(frame)
    synthetic = Behaviour.of(told, polarities(told, DECLARED), made)
    return FittedUsers(frame, made, fidelity(real, synthetic, seed))


def between(values: npt.ArrayLike, many: int, rng: np.random.Generator) -> Floats:
    """Lots from the distribution of values, drawn between neighbouring ones."""
    known = np.sort(np.asarray(values, np.float64))
    return np.interp(rng.random(many) * (len(known) - 1), np.arange(len(known)), known)


def shares(counts: Int64s, many: int, rng: np.random.Generator) -> Floats:
    """(many, C) shares of users, spread about those of all events as real users' (U, C) counts.

    Real concentrations differ by taste and by luck, and drawing adds luck again. So they are drawn
    together towards their mean, as far as makes what is drawn most like the real ones.
    """
    mean = counts.sum(0) / counts.sum()
    told = counts[counts.sum(1) >= _TOLD]
    told = told if len(told) >= LEAST_USERS else counts
    seen, least = concentrations(told), float((mean**2).sum())
    if not len(seen) or least > 1 - 1e-9:
        return np.tile(mean, (many, 1))

    def drawn(spread: float, users: int) -> Floats:
        wanted = seen.mean() + spread * (between(seen, users, rng) - seen.mean())
        wanted = np.clip(wanted, least + 1e-4, 1 - 1e-4)
        strength = np.maximum((1 - wanted) / (wanted - least), 1e-3)
        parts = rng.standard_gamma(strength[:, None] * mean) + 1e-12 * mean
        return np.asarray(parts / parts.sum(1, keepdims=True), np.float64)

    def apart(spread: float) -> float:
        totals = rng.choice(told.sum(1), _TRIED)
        return largest_difference(
            seen, concentrations(rng.multinomial(totals, drawn(spread, _TRIED)))
        )

    return drawn(min((0.0, 0.25, 0.5, 0.75, 1.0), key=apart), many)


def _behaviour(log: Interactions, declared: Declaration, catalog: Catalog) -> Behaviour:
    """The real log without users who have no events."""
    ordered = log.by_time()
    there = ordered.lengths > 0
    if int(there.sum()) < LEAST_USERS:
        what = (
            f"The log has {counted(int(there.sum()), 'user')}, so that its sums say who they are."
        )
        raise BadInput(what, "users", f"Give a log of {LEAST_USERS} users or more.")
    offsets = np.concatenate([[0], np.cumsum(ordered.lengths[there])]).astype(np.int64)
    kept = replace(ordered, user_ids=ordered.user_ids.filter(pl.Series(there)), offsets=offsets)
    return Behaviour.of(kept, polarities(kept, declared), catalog)


def _times(real: Behaviour, lengths: Int64s, rng: np.random.Generator) -> Int64s:
    """Times of events: a first one a user, and gaps; no user's take longer than a real user's."""
    times = real.log.times
    assert times is not None
    offsets = real.log.offsets
    begins = between(times[offsets[:-1]], len(lengths), rng)
    longest = float((times[offsets[1:] - 1] - times[offsets[:-1]]).max())
    steps = np.zeros(int(lengths.sum()))
    if len(real.gaps):
        steps = np.floor(between(real.gaps, len(steps), rng))
    starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    steps[starts] = 0
    running = np.cumsum(steps)
    since = running - np.repeat(running[starts], lengths)
    taken = np.repeat(np.maximum.reduceat(since, starts), lengths)
    since *= np.minimum(1.0, longest / np.maximum(taken, 1.0))
    return np.asarray(np.repeat(begins, lengths) + since, np.int64)
