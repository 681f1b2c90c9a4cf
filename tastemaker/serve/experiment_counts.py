"""What became of an experiment's users, counted from the store: exposures and later events.

A user counts from the first answer that their arm's model gave them, for as long as the window. All
is read from one moment of the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl
from sqlalchemy import Connection, Select, and_, func, select

from tastemaker.counts import counted
from tastemaker.data.declaration import Declaration
from tastemaker.data.polarity import CODES, of_values
from tastemaker.errors import BadInput
from tastemaker.serve.database import Database
from tastemaker.serve.events import SHOWN
from tastemaker.serve.experiments import Experiment, place_of, settled
from tastemaker.serve.tables import events, experiments, exposures, shown

_BATCH = 50_000
"""Rows held at a time."""
_COUNTED = ("events", "positives", "hits", "undeclared")


class NoExperiment(BadInput):
    """An experiment that the store does not have, or in which nobody was answered."""


@dataclass(frozen=True)
class Counts:
    """An experiment's users, and what they did."""

    splits: tuple[Experiment, ...]
    """every split of users it had, the newest last"""
    users: pl.DataFrame
    """a row a user: `user_id`, `arm`, `moved` (a split moved them), `both` (two arms met them),
    `known` (their arm's model answered), `ripe` (their window is over), `answers` of that model,
    and, within the window of who is ripe: `events`, `positives`, `hits` (positive ones on an item
    that was shown before), `undeclared` (events of kinds that the run does not declare)"""
    versions: dict[str, int]
    """version of a run → users whom it answered first"""

    @property
    def newest(self) -> Experiment:
        """The split as it was declared last."""
        return self.splits[-1]


def counts_of(
    database: Database, declared: Declaration, name: str, window: int, now: int
) -> Counts:
    """Count an experiment.

    Args:
        database: Of the store.
        declared: Which kinds and values of events are positive.
        name: Of the experiment.
        window: Microseconds after the first exposure in which events count.
        now: Microseconds since 1970.

    Raises:
        NoExperiment: If there is none of this name, or nobody was answered in it.
    """
    with database.reading() as connection:
        splits = _splits(connection, name)
        told = _exposures(connection, name)
        asked = _events_after(name, window, now)
        rows = connection.execution_options(yield_per=_BATCH).execute(asked).partitions()
        done = _done(rows, declared)
    users = _users(told, splits, window, now).join(done, on="user_id", how="left")
    users = users.with_columns(pl.col(_COUNTED).fill_null(0))
    first = told.filter("known").group_by("version").len().sort("version")
    return Counts(splits, users, dict(first.iter_rows()))


def _splits(connection: Connection, name: str) -> tuple[Experiment, ...]:
    asked = select(experiments.c.arms).where(experiments.c.name == name)
    texts = connection.execute(asked.order_by(experiments.c.declared, experiments.c.arms)).scalars()
    splits = tuple(Experiment.of_text(name, text) for text in texts)
    if not splits:
        known = connection.execute(select(experiments.c.name).distinct()).scalars().all()
        what = f"The store knows of no experiment {name!r:.80}: nobody was answered in one."
        some = f"It has: {', '.join(sorted(known))}." if known else "It has none."
        fix = f"{some} `tastemaker serve RUN --experiment NAME=MODEL,MODEL` runs one."
        raise NoExperiment(what, "--experiment", fix)
    return splits


def _exposures(connection: Connection, name: str) -> pl.DataFrame:
    columns = [exposures.c[column] for column in _EXPOSED]
    asked = select(*columns).where(exposures.c.experiment == name)
    rows = connection.execute(asked).all()
    if not rows:
        what = f"Nobody is left who was answered in experiment {name!r:.80}."
        raise NoExperiment(what, "--experiment", "Ask again once users were answered in it.")
    return pl.DataFrame([tuple(row) for row in rows], schema=_EXPOSED, orient="row")


_EXPOSED = {
    "user_id": pl.String,
    "arm": pl.String,
    "known": pl.Boolean,
    "version": pl.String,
    "first_time": pl.Int64,
    "answers": pl.Int64,
}


def _users(told: pl.DataFrame, splits: Sequence[Experiment], window: int, now: int) -> pl.DataFrame:
    """A row a user, without what they did."""
    known = pl.col("known")
    users = told.group_by("user_id", maintain_order=True).agg(
        arm=pl.col("arm").first(),
        both=pl.col("arm").n_unique() > 1,
        known=known.any(),
        ripe=(pl.col("first_time").filter(known).min() + window <= now).fill_null(False),
        answers=pl.col("answers").filter(known).sum(),
    )
    moved = [False] * len(users)
    if len(splits) > 1:
        name = splits[0].name
        places = (place_of(name, user) for user in users["user_id"])
        moved = [settled(splits, place) is None for place in places]
    return users.with_columns(moved=pl.Series(moved, dtype=pl.Boolean))


def _events_after(name: str, window: int, now: int) -> Select[Any]:
    """Events of ripe users within their window, each with when its item was first shown."""
    mine = (exposures.c.experiment == name) & exposures.c.known
    first = func.min(exposures.c.first_time)
    since = (
        select(exposures.c.user_id, first.label("since"))
        .where(mine)
        .group_by(exposures.c.user_id)
        .having(first <= now - window)
        .subquery()
    )
    seen = and_(
        shown.c.user_id == events.c.user_id,
        shown.c.experiment == name,
        shown.c.item_id == events.c.item_id,
    )
    return (
        select(
            events.c.user_id,
            events.c.kind,
            events.c.value,
            (shown.c.first_time < events.c.time).label("seen"),
        )
        .select_from(events)
        .join(since, since.c.user_id == events.c.user_id)
        .outerjoin(shown, seen)
        .where(
            events.c.kind != SHOWN,
            events.c.time > since.c.since,
            events.c.time <= since.c.since + window,
        )
    )


def _done(parts: Iterator[Sequence[Any]], declared: Declaration) -> pl.DataFrame:
    """Users and how many events of each sort they have."""
    sums = [_none()]
    for part in parts:
        users, kinds, values, seen = zip(*part, strict=True)
        frame = pl.DataFrame(
            {
                "user_id": pl.Series(users, dtype=pl.String),
                "code": _codes(kinds, values, declared),
                "seen": [bool(one) for one in seen],
            }
        )
        positive = pl.col("code") > 0
        sums.append(
            frame.group_by("user_id").agg(
                events=pl.len().cast(pl.Int64),
                positives=positive.sum().cast(pl.Int64),
                hits=(positive & pl.col("seen")).sum().cast(pl.Int64),
                undeclared=(pl.col("code") == 0).sum().cast(pl.Int64),
            )
        )
    return pl.concat(sums).group_by("user_id").sum()


def _none() -> pl.DataFrame:
    return pl.DataFrame(schema={"user_id": pl.String, **dict.fromkeys(_COUNTED, pl.Int64)})


def _codes(
    kinds: Sequence[str], values: Sequence[float | None], declared: Declaration
) -> pl.Series:
    """Polarity of events, as `data.polarity` has it; 0 for kinds that are not declared."""
    unnamed = declared.only_event or ""
    named = pl.Series([kind or unnamed for kind in kinds], dtype=pl.String)
    code_of = {kind: CODES[polarity] for kind, polarity in declared.events.items()}
    codes = named.replace_strict(code_of, default=0, return_dtype=pl.Int8)
    numbers = pl.Series(values, dtype=pl.Float64).fill_null(float("nan"))
    bands = pl.Series(of_values(numbers.cast(pl.Float32).to_numpy(), declared), dtype=pl.Int8)
    # A value says nothing of an event whose kind is not declared: the log would refuse it.
    return bands.zip_with((bands != 0) & (codes != 0), codes)


def window_of(text: str) -> int:
    """Microseconds that `7d`, `12h`, `30m` or `90s` says.

    Raises:
        BadInput: If it says none.
    """
    number, unit = text[:-1], _UNITS.get(text[-1:], 0)
    if not unit or not number.isascii() or not number.isdigit() or not 0 < int(number) <= _MOST:
        what = f"{text!r:.80} is no window."
        raise BadInput(what, "--window", "Give a whole number of days, hours or less: 7d, 12h.")
    return int(number) * unit * 1_000_000


_UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_MOST = 100_000


def written(window: int) -> str:
    """A window in words."""
    seconds = window // 1_000_000
    names = {"d": "day", "h": "hour", "m": "minute", "s": "second"}
    letter = next(one for one, size in _UNITS.items() if seconds % size == 0)
    return counted(seconds // _UNITS[letter], names[letter])
