"""What is not wrong with a log, but makes its numbers mean less, or is hardly meant.

One function a doubt; said once, and never a reason to refuse a log.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from tastemaker.counts import by_count, counted
from tastemaker.data.catalog import Catalog
from tastemaker.data.contexts import Int64s
from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import by_kind, polarities
from tastemaker.data.problems import shown
from tastemaker.data.times import EARLY, MODERN

_SECOND = 1_000_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_FIRST, _LAST = 1990, 2040
"""Years in which logs are written; numbers that name one of them in another unit are dates."""
_PER_YEAR = {"days": 365.25, "hours": 365.25 * 24, "minutes": 365.25 * 24 * 60}


def doubts(
    log: Interactions,
    catalog: Catalog,
    declared: Declaration,
    lines: bool = False,
    meant: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """Every doubt about a log and its catalogue, one sentence or two each.

    Args:
        log: As it was read.
        catalog: What is known about items.
        declared: What the columns mean.
        lines: The log came from rows without times that are no sequences.
        meant: Columns that were not read, and what they are likely meant to be.
    """
    doubts = [
        nothing_learnt(log, declared),
        order_of_lines() if lines else None,
        strange_times(log, declared),
        without_order(log),
        nothing_shared(log),
        unread_columns(meant or {}),
        without_entry(log, catalog),
        ready_split(log),
    ]
    return tuple(doubt for doubt in doubts if doubt)


def nothing_learnt(log: Interactions, declared: Declaration) -> str | None:
    """Events of which none is positive: they can be read, and no model can be trained on them."""
    kinds = by_kind(log, declared)
    if not declared.bands and (kinds > 0).all() or (polarities(log, declared) > 0).any():
        return None
    return (
        f"Nothing is learnt from this log: none of its {counted(log.num_events, 'event')} is "
        "positive, and a run refuses it. Declare in dataset.json which events, or which values, "
        "say that somebody chose the item."
    )


def unread_columns(meant: Mapping[str, str]) -> str | None:
    """Columns under another name than ours, which would be passed over in silence.

    Args:
        meant: Column of the file → the optional column that it is likely meant to be.
    """
    if not meant:
        return None
    named = ", ".join(f"{shown(column)} as {name!r}" for column, name in meant.items())
    return (
        f"Not read: {named}. Rename what is meant so, and declare in dataset.json what its values "
        "or kinds say; else every row counts as a choice."
    )


def nothing_shared(log: Interactions) -> str | None:
    """Items of which each stands in the log once: nothing joins two users, so nothing is learnt."""
    if log.num_items < log.num_events or log.num_users < 2:
        return None
    return (
        f"Each of the {log.num_items:,} items was chosen once, so that users share nothing and "
        "nothing can be learnt from others: is the item id in this column?"
    )


def strange_times(log: Interactions, declared: Declaration) -> str | None:
    """Times that were hardly meant: of another unit, or dates written as numbers.

    Numbers that are no dates in any unit, such as 1, 2, 3, only count, and are no reason to doubt.
    """
    times, unit = log.times, declared.time_unit
    if times is None or not len(times):
        return None
    latest = int(times.max())
    if latest >= MODERN // _SECOND:
        early = int((times < EARLY // _SECOND).sum())
        if not early:
            return None
        return (
            f"{early:,} of {counted(len(times), 'time')} {by_count(early, 'lies', 'lie')} in the "
            "first months of 1970 and the others do not: is that where the time is missing?"
        )
    year = str(np.datetime64(latest, "s").astype("datetime64[Y]"))
    said = f"All times lie in {year}" if year == "1970" else f"All times lie before {int(year) + 1}"
    if unit != "s":
        said = f"{said} when read in {unit!r}"
        if latest * _PER_SECOND[unit] >= MODERN // _SECOND:
            return f'{said}: they look like seconds. Declare "time_unit": "s".'
        return f'{said}. Declare their unit in dataset.json, as "time_unit": "s", or write dates.'
    if kind := _kind_of_date(times):
        example = shown(int(times[0]))
        return (
            f"{said} when read in 's', and numbers such as {example} look like {kind}. Write them "
            "as 2024-01-31."
        )
    return None


def _kind_of_date(times: Int64s) -> str | None:
    """What all of some small numbers are, if they are dates in a unit that is not read."""
    year, month, day = times // 10_000, times // 100 % 100, times % 100
    dated = (year >= 1970) & (year < 2100) & (month > 0) & (month < 13) & (day > 0) & (day < 32)
    if dated.all():
        return "dates"
    low, high = int(times.min()), int(times.max())
    if low >= _FIRST and high <= _LAST:
        return "years"
    for unit, per_year in _PER_YEAR.items():
        if low >= (_FIRST - 1970) * per_year and high <= (_LAST - 1970) * per_year:
            return f"{unit} since 1970"
    return None


def outside_catalogue(log: Interactions, catalog: Catalog) -> int:
    """Items of the log that the catalogue does not know; 0 where there is no catalogue."""
    known = catalog.frame["item_id"]
    return int((~log.item_ids.is_in(known.implode())).sum()) if len(known) else 0


def without_entry(log: Interactions, catalog: Catalog) -> str | None:
    """Items without a row in the catalogue: they are learnt, and shown by their id alone."""
    count = outside_catalogue(log, catalog)
    if not count:
        return None
    if count == log.num_items:
        ours, theirs = shown(log.item_ids[0]), shown(catalog.frame["item_id"][0])
        return (
            f"None of the {counted(count, 'item')} of the log is in the catalogue: are the ids "
            f"written alike? The log has {ours}, the catalogue {theirs}."
        )
    share = f"{count:,} of the {log.num_items:,} items of the log"
    verb = by_count(count, "is", "are")
    return f"{share} {verb} not in the catalogue, and so without title and categories."


def order_of_lines() -> str:
    """Events without times, whose order is that of the file."""
    return (
        "The file has ratings but no times, so its lines are taken as the order of events. Models "
        "and splits that go by what came last mean little unless the file is written in order."
    )


def without_order(log: Interactions) -> str | None:
    """Times that do not say which event came first, for more than half of the users.

    Users with one event have no order to lose and do not count.
    """
    if log.times is None or not log.num_events:
        return None
    some = log.lengths > 0
    starts = log.offsets[:-1][some]
    first, last = np.minimum.reduceat(log.times, starts), np.maximum.reduceat(log.times, starts)
    longer = log.lengths[some] > 1
    equal = int((first == last)[longer].sum())
    if 2 * equal <= int(longer.sum()):
        return None
    return (
        f"For {equal:,} of {counted(int(longer.sum()), 'user')} with several events all of these "
        "have the same time, so only the order of rows says which came first. Models and splits "
        "that go by what came last mean little here; give finer times if there are any."
    )


def ready_split(log: Interactions) -> str | None:
    """A ready-made split, which only `--split given` takes."""
    if log.parts is None:
        return None
    train, valid, test = np.bincount(log.parts, minlength=3)
    held = f"{train:,} train, {valid:,} valid and {counted(test, 'test event')}"
    without = (
        " (where the last training event of each user with two or more validates, since none is "
        "marked valid)"
    )
    return (
        f"The data come with a ready-made split: {held}. --split given takes it"
        f"{'' if valid else without}; every other split cuts all events anew, by time."
    )
