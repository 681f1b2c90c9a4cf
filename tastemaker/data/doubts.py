"""Doubts: what may be right and often is not; said once, and never a reason to refuse a log."""

from __future__ import annotations

import numpy as np

from tastemaker.data.catalog import Catalog
from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Int64s, Interactions
from tastemaker.data.problems import shown
from tastemaker.data.times import EARLY, MODERN

_SECOND = 1_000_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def doubts(log: Interactions, catalog: Catalog, declared: Declaration) -> list[str]:
    """Every doubt about a log and its catalogue, one sentence or two each."""
    return [*time_doubts(log, declared), *catalogue_doubts(log, catalog)]


def time_doubts(log: Interactions, declared: Declaration) -> list[str]:
    """Times that were hardly meant: of another unit, or dates written as numbers."""
    times = log.times
    if times is None or not len(times):
        return []
    latest = int(times.max())
    if latest >= MODERN // _SECOND:
        early = int((times < EARLY // _SECOND).sum())
        if not early:
            return []
        return [
            f"{early:,} of {len(times):,} times lie in the first months of 1970 and the others do "
            "not: is that where the time is missing?"
        ]
    unit = declared.time_unit
    year = str(np.datetime64(latest, "s").astype("datetime64[Y]"))
    said = f"All times lie in {year}" if year == "1970" else f"All times lie before {int(year) + 1}"
    if _dates(times):
        day = shown(int(times[0]))
        return [f"{said}: numbers such as {day} look like dates. Write them as 2024-01-31."]
    if unit != "s" and latest * _PER_SECOND[unit] >= MODERN // _SECOND:
        return [f'{said} when read in {unit!r}: they look like seconds. Declare "time_unit": "s".']
    return [
        f"{said} when read in {unit!r}. Where they are more than an order, declare their unit "
        'in dataset.json, as "time_unit": "ms", or write dates.'
    ]


def outside_catalogue(log: Interactions, catalog: Catalog) -> int:
    """Items of the log that the catalogue does not know; 0 where there is no catalogue."""
    known = catalog.frame["item_id"]
    return int((~log.item_ids.is_in(known.implode())).sum()) if len(known) else 0


def catalogue_doubts(log: Interactions, catalog: Catalog) -> list[str]:
    """Items without a row in the catalogue: they are learnt, and shown by their id alone."""
    outside = outside_catalogue(log, catalog)
    if not outside:
        return []
    if outside == log.num_items:
        ours, theirs = shown(log.item_ids[0]), shown(catalog.frame["item_id"][0])
        return [
            f"None of the {outside:,} items of the log is in the catalogue: are the ids written "
            f"alike? The log has {ours}, the catalogue {theirs}."
        ]
    share = f"{outside:,} of the {log.num_items:,} items of the log"
    verb = "are" if outside > 1 else "is"
    return [f"{share} {verb} not in the catalogue, and so without title and categories."]


def _dates(times: Int64s) -> bool:
    """Whether all are days written as whole numbers, such as 20240131."""
    year, month, day = times // 10_000, times // 100 % 100, times % 100
    plausible = (year >= 1970) & (year < 2100) & (month > 0) & (month < 13) & (day > 0) & (day < 32)
    return bool(plausible.all())
