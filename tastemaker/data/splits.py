"""Splits: which events train, which validate, which are read once at the end.

Histories are ordered in time, so every split is a suffix of each user's history, and two cuts a
user describe it (protocol §3.2). Leave-one-out is leaky in time by design: other users' later
events train. `global_time` is not. `given` takes the parts that the data come with, so that
numbers compare with those of others on the same files.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from tastemaker.counts import counted
from tastemaker.data.contexts import Contexts, Int64s, ranges
from tastemaker.data.interactions import Interactions
from tastemaker.data.queries import Queries
from tastemaker.errors import BadInput

Part = Literal["valid", "test"]


@dataclass(frozen=True)
class Split:
    """Two cuts a user: train | validation | test."""

    name: str
    interactions: Interactions
    train_end: Int64s
    """(U,) absolute position where training stops."""
    valid_end: Int64s
    """(U,) absolute position where validation stops and test begins."""

    @cached_property
    def sha256(self) -> str:
        """Hash of the data and the cuts."""
        digest = hashlib.sha256(f"{self.name}:{self.interactions.sha256}".encode())
        digest.update(self.train_end.astype(np.int64).tobytes())
        digest.update(self.valid_end.astype(np.int64).tobytes())
        return digest.hexdigest()

    def _before(self, ends: Int64s, users: Int64s | None = None) -> Contexts:
        log = self.interactions
        pick = np.arange(log.num_users, dtype=np.int64) if users is None else users
        return Contexts.gather(pick, log.offsets[:-1][pick], ends[pick], log.columns)

    def train(self, through: Literal["train", "valid"] = "train") -> Contexts:
        """Every user's training events, copied once; `through="valid"` adds those of validation."""
        return self._training if through == "train" else self._before(self.valid_end)

    @cached_property
    def _training(self) -> Contexts:
        return self._before(self.train_end)

    def queries(self, part: Part) -> Queries:
        """Users with a past and a future in `part`.

        In `global-time` and `given`, targets never seen in training are left out
        (`unseen_targets` counts them), since no model of this table could rank them.
        """
        log = self.interactions
        begin = self.train_end if part == "valid" else self.valid_end
        end = self.valid_end if part == "valid" else log.offsets[1:]
        wanted = ranges(begin, end)
        owner = np.repeat(np.arange(log.num_users), end - begin)
        if self.name in ("global-time", "given"):
            seen = self.trained_items[log.items[wanted] - 1]
            wanted, owner = wanted[seen], owner[seen]
        owner_has_past = (self.train_end > log.offsets[:-1])[owner]
        wanted, owner = wanted[owner_has_past], owner[owner_has_past]
        users, counts = np.unique(owner, return_counts=True)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        contexts = self._before(begin, users.astype(np.int64))
        if log.times is not None:
            contexts = replace(contexts, request_times=log.times[wanted][offsets[:-1]])
        return Queries(contexts, log.items[wanted], offsets)

    @cached_property
    def train_counts(self) -> Int64s:
        """(I,) training events of each item."""
        log = self.interactions
        items = log.items[ranges(log.offsets[:-1], self.train_end)]
        return np.bincount(items, minlength=log.num_items + 1)[1:]

    @cached_property
    def trained_items(self) -> npt.NDArray[np.bool_]:
        """(I,) true for items with at least one training event: the candidates."""
        return self.train_counts > 0

    def summary(self) -> dict[str, int]:
        """Users and events of each part, cold users and unseen targets."""
        log = self.interactions
        test = ranges(self.valid_end, log.offsets[1:])
        past = self.train_end > log.offsets[:-1]
        return {
            "train_events": int((self.train_end - log.offsets[:-1]).sum()),
            "valid_targets": int((self.valid_end - self.train_end).sum()),
            "test_targets": len(test),
            "valid_users": len(self.queries("valid")),
            "test_users": len(self.queries("test")),
            "cold_users": int((~past & (log.lengths > 0)).sum()),
            "unseen_targets": int((~self.trained_items[log.items[test] - 1]).sum()),
        }


def leave_one_out(interactions: Interactions) -> Split:
    """Test = last event, validation = the one before; users with < 3 events only train."""
    return _last(interactions, 1, "leave-one-out")


def last_events(interactions: Interactions, events: int = 10) -> Split:
    """HORIZON(E): test = last E events, validation = E before; shorter histories only train."""
    if events < 1:
        raise BadInput(f"A horizon of {events} events is empty.", "--split", "Use last-1 or more.")
    return _last(interactions, events, f"last-{events}")


def _last(interactions: Interactions, events: int, name: str) -> Split:
    log = interactions.by_time()
    ends, needed = log.offsets[1:], 2 * events + 1
    held = np.where(log.lengths >= needed, events, 0)
    if not held.any():
        longest = int(log.lengths.max(initial=0))
        raise BadInput(
            f"No user has the {needed:,} events that {name} needs to hold any out: {events:,} to "
            f"test, {events:,} to validate and one to train. The longest history has {longest:,}.",
            f"--split {name}, {counted(log.num_users, 'user')}",
            f"Use last-E with E of at most {(longest - 1) // 2}."
            if longest >= 3
            else "Give users with at least 3 events.",
        )
    return Split(name, log, ends - 2 * held, ends - held)


def global_time(interactions: Interactions, share: float = 0.1) -> Split:
    """TIME: test = the last `share` of all events by clock, validation likewise before it.

    Raises:
        BadInput: If the log has no times, or none that tells a test from training.
    """
    if interactions.times is None:
        raise BadInput(
            "This log has an order but no times, so it cannot be cut by the clock.",
            "--split global-time",
            "Use leave-one-out or last-10, or read a log with a timestamp column.",
        )
    if not 0 < share < 0.5:
        raise BadInput(f"A share of {share} is not between 0 and 0.5.", "--split", "Use 0.1.")
    log = interactions.by_time()
    assert log.times is not None
    times = log.times
    if not len(times) or times.min() == times.max():
        raise BadInput(
            "All events have the same time, so no clock can cut them.",
            "--split global-time",
            "Use leave-one-out or last-10, or give the events their times.",
        )
    test_time = np.quantile(times, 1 - share, method="higher")
    before = times[times < test_time]
    valid_time = np.quantile(before, 1 - share, method="higher") if len(before) else test_time

    def cut(threshold: float) -> Int64s:
        running = np.concatenate([[0], np.cumsum(times < threshold)])
        ends: Int64s = log.offsets[:-1] + running[log.offsets[1:]] - running[log.offsets[:-1]]
        return ends

    cuts = Split("global-time", log, cut(valid_time), cut(test_time))
    refuse_empty(cuts, "test")
    return cuts


def given(interactions: Interactions) -> Split:
    """The ready-made split that the data come with: its train, valid and test events.

    Without validation events, the last training event of every user with two or more validates.

    Raises:
        BadInput: If the data come without one.
    """
    parts = interactions.parts
    if parts is None:
        raise BadInput(
            "The data come without a ready-made split.",
            "--split given",
            "Give a folder with train.*, valid.* and test.* (or x.train.inter and so on), or a "
            "column `split` of train, valid and test; or use leave-one-out, last-10 or "
            "global-time.",
        )
    ends = [
        np.add(interactions.offsets[:-1], np.diff(_running(parts <= part)[interactions.offsets]))
        for part in (0, 1)
    ]
    train_end, valid_end = ends
    if not (parts == 1).any():
        train_end = train_end - (train_end - interactions.offsets[:-1] >= 2)
    cuts = Split("given", interactions, train_end, valid_end)
    refuse_empty(cuts, "test")
    return cuts


def _running(flags: npt.NDArray[np.bool_]) -> Int64s:
    return np.concatenate([[0], np.cumsum(flags)]).astype(np.int64)


def split(interactions: Interactions, name: str = "leave-one-out") -> Split:
    """The split called `name`: leave-one-out, last-E (such as last-10), global-time, or given.

    All but `given` cut a log anew, oldest events first, whatever ready-made split it carries.

    Raises:
        BadInput: If there is no such split, or it would leave nothing to test.
    """
    cutters = {"leave-one-out": leave_one_out, "global-time": global_time, "given": given}
    if name in cutters:
        return cutters[name](interactions)
    if re.fullmatch(r"last-[0-9]{1,9}", name):
        return last_events(interactions, int(name[5:]))
    raise BadInput(
        f"There is no split called {name!r}.",
        "--split",
        "Use leave-one-out, last-10 (any number), global-time or given.",
    )


def refuse_empty(cuts: Split, part: Part) -> None:
    """Refuse a split without a query to validate or to test, and say which and why.

    Raises:
        BadInput: If nobody can be asked in `part`.
    """
    if len(cuts.queries(part)):
        return
    log = cuts.interactions
    begin = cuts.train_end if part == "valid" else cuts.valid_end
    end = cuts.valid_end if part == "valid" else log.offsets[1:]
    past = cuts.train_end > log.offsets[:-1]
    word = "validation" if part == "valid" else "test"
    if not (end > begin).any():
        why = f"no event is one to {'validate' if part == 'valid' else 'test'}"
    elif not (past & (end > begin)).any():
        why = f"no user with {word} events has a training event before them"
    else:
        why = f"none of the items in the {word} events of known users is in training"
    raise BadInput(
        f"The split {cuts.name} has no {word} query: {why}.",
        f"--split {cuts.name}",
        "Give train, valid and test events of the same users and items."
        if cuts.name == "given"
        else "Use another split, such as leave-one-out or last-1, or give more events a user.",
    )
