"""A log and what happened since as one log: old codes stay, and each event is there once.

Items and users of the old log keep their places and new ones stand behind them, so that a model of
the old log knows in the joined one what it knew. Who shall be forgotten is taken out first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.contexts import Int64s, along
from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import polarities

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Joined:
    """An old log with what happened since."""

    log: Interactions
    origin: Int64s
    """(N,) position of each event in the old log; -1: it is new"""
    known: int = 0
    """new events that the old log had already: of the same user, item, time and kind"""

    @property
    def new(self) -> Flags:
        """(N,) whether an event is new."""
        return self.origin < 0

    def select(self, keep: Flags) -> Joined:
        """Only the events where `keep` (N,) is true; users and items stay."""
        return replace(self, log=self.log.select(keep), origin=self.origin[keep])


def without(log: Interactions, until: Mapping[str, float]) -> tuple[Interactions, Flags]:
    """A log without the events of some users up to a time each; who has none left is gone from it.

    Args:
        log: Each user's events oldest first; where it has no times, all of theirs go.
        until: User id → seconds since 1970; users that the log does not have are passed over.

    Returns:
        What is left, and (N,) which events of the log those are.
    """
    keep, named = np.ones(log.num_events, bool), np.zeros(log.num_users, bool)
    for user, time in until.items():
        if (code := log.user_codes.get(user)) is not None:
            own = slice(int(log.offsets[code]), int(log.offsets[code + 1]))
            keep[own] = False if log.times is None else log.times[own] > time
            named[code] = True
    left = log.select(keep)
    stay = ~named | (left.lengths > 0)
    offsets = np.concatenate([[0], np.cumsum(left.lengths[stay])]).astype(np.int64)
    return replace(left, user_ids=log.user_ids.filter(pl.Series(stay)), offsets=offsets), keep


def joined(old: Interactions, new: Interactions) -> Joined:
    """Both logs as one, each user's events oldest first; of one time, old ones come first.

    New events that the old log has already are left out; among themselves new events all count.

    Args:
        old: With times, and without a ready-made split.
        new: Likewise.

    Raises:
        ValueError: If one of them has no times.
    """
    if old.times is None or new.times is None:
        raise ValueError("logs are joined by their times")
    new = new.led_by(old.item_ids)
    user_ids = pl.concat([old.user_ids, new.user_ids]).unique(maintain_order=True)
    names = tuple(dict.fromkeys((*old.event_names, *_occurring(new))))
    old, new = _in_kinds(old, names), _in_kinds(new, names)
    places = new.user_ids.to_frame().join(
        user_ids.to_frame().with_row_index("code"), on="user_id", how="left", maintain_order="left"
    )
    owners = np.repeat(places["code"].to_numpy().astype(np.int64), new.lengths)
    fresh = ~_already(old, new, owners)
    users = np.concatenate([np.repeat(np.arange(old.num_users), old.lengths), owners[fresh]])
    columns = _under(old, new, fresh)
    order = np.lexsort((columns["times"], users))
    counts = np.bincount(users, minlength=len(user_ids))
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    ordered: dict[str, Any] = {name: column[order] for name, column in columns.items()}
    log = replace(new, user_ids=user_ids, offsets=offsets, **ordered)
    origin = np.concatenate([np.arange(old.num_events), np.full(int(fresh.sum()), -1)])
    return Joined(log, origin[order], int((~fresh).sum()))


def chosen_again(both: Joined, declared: Declaration) -> Flags:
    """(N,) new events that choose an item which their user has chosen in an older one, or before.

    For data whose users choose an item once: of several choices the old one stands, else the first.
    """
    log = both.log
    users = np.repeat(np.arange(log.num_users), log.lengths)
    pairs = users * np.int64(log.num_items + 1) + log.items
    chosen = np.flatnonzero(polarities(log, declared) > 0)
    chosen = chosen[np.argsort(both.new[chosen], kind="stable")]  # old ones first
    again = np.zeros(log.num_events, bool)
    again[chosen] = True
    again[chosen[np.unique(pairs[chosen], return_index=True)[1]]] = False
    return again & both.new


def _in_kinds(log: Interactions, names: tuple[str, ...]) -> Interactions:
    """The log with these names of kinds, all of its own among them."""
    if len(names) == 1:
        return replace(log, event_names=names, events=None)
    code = np.array([names.index(name) if name in names else 0 for name in log.event_names])
    own = np.zeros(log.num_events, np.int64) if log.events is None else log.events
    return replace(log, event_names=names, events=code[own].astype(np.uint8))


def _occurring(log: Interactions) -> list[str]:
    """Kinds of event that a log has, and not only names."""
    if log.events is None:
        return list(log.event_names)
    return [log.event_names[code] for code in np.unique(log.events)]


def _already(old: Interactions, new: Interactions, owners: Int64s) -> Flags:
    """(N',) whether an event of `new`, whose users are `owners` in `old`, is in `old`."""

    def rows(log: Interactions, users: Int64s, keep: Flags) -> pl.DataFrame:
        kinds = np.zeros(log.num_events, np.uint8) if log.events is None else log.events
        columns = {"user": users, "item": log.items, "time": log.times, "kind": kinds}
        return pl.DataFrame(columns).filter(keep)

    users = np.repeat(np.arange(old.num_users), old.lengths)
    active = np.zeros(old.num_users, bool)
    active[owners[owners < old.num_users]] = True
    told = rows(new, owners, np.ones(new.num_events, bool)).with_row_index("row")
    same = told.join(
        rows(old, users, active[users]), on=["user", "item", "time", "kind"], how="semi"
    )
    already = np.zeros(new.num_events, bool)
    already[same["row"].to_numpy()] = True
    return already


def _under(old: Interactions, new: Interactions, fresh: Flags) -> dict[str, npt.NDArray[Any]]:
    """The columns of `old`, with those of the fresh events of `new` under them."""
    upper, lower = dict(along(old, "event")), dict(along(new.select(fresh), "event"))
    for one, log in ((upper, old), (lower, new.select(fresh))):
        if "values" in {*upper, *lower} - {*one}:
            one["values"] = np.full(log.num_events, np.nan, np.float32)
    return {name: np.concatenate([upper[name], lower[name]]) for name in upper}
