"""What a data set holds, and which of it will be learnt: the numbers that a reader wants first."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.catalog import Catalog
from tastemaker.data.declaration import POLARITIES, Declaration
from tastemaker.data.doubts import outside_catalogue
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import CODES, Int8s, by_band, by_kind, polarities
from tastemaker.files import JsonObject


def described(
    name: str, log: Interactions, catalog: Catalog, declared: Declaration
) -> dict[str, object]:
    """Counts, spans and shares, and what of it is learnt (`roles`)."""
    lengths, counts = log.lengths, np.bincount(log.items, minlength=log.num_items + 1)[1:]
    return {
        "name": name,
        "licence": declared.licence,
        "users": log.num_users,
        "items": log.num_items,
        "interactions": log.num_events,
        "density": log.num_events / max(1, log.num_users * log.num_items),
        "history_median": float(np.median(lengths)),
        "history_longest": int(lengths.max(initial=0)),
        "items_seen_once": int((counts == 1).sum()),
        "share_of_top_tenth": float(np.sort(counts)[::-1][: max(1, len(counts) // 10)].sum())
        / max(1, log.num_events),
        "from_to": span(log),
        "catalogue": len(catalog.frame),
        "outside_catalogue": outside_catalogue(log, catalog),
        "bytes_per_interaction": round(log.bytes_per_event, 1),
        "sha256": log.sha256,
        **roles(log, declared),
    }


def checked(
    name: str,
    log: Interactions,
    catalog: Catalog,
    declared: Declaration,
    dropped: pl.DataFrame,
    warnings: list[str],
) -> dict[str, object]:
    """What `data check` says of a log that can be used, ready for JSON.

    Returns:
        ok: always true; a log with problems raises instead.
        name, users, items, interactions, from_to (first and last day, or null without times).
        learnt, repeats, events, bands, not_learnt: as `roles` gives them.
        catalogue, outside_catalogue: items it has; items of the log that it lacks.
        dropped: rows of the file left out.
        dropped_why: [{why, count}], a row with two faults under both.
        warnings: sentences about what is legal and often not meant.
    """
    reasons = dropped["reason"].value_counts().sort("count", "reason", descending=[True, False])
    return {
        "ok": True,
        "name": name,
        "users": log.num_users,
        "items": log.num_items,
        "interactions": log.num_events,
        "from_to": span(log),
        **roles(log, declared),
        "catalogue": len(catalog.frame),
        "outside_catalogue": outside_catalogue(log, catalog),
        "dropped": len(dropped.select(pl.exclude("reason", "value")).unique()),
        "dropped_why": [{"why": why, "count": count} for why, count in reasons.iter_rows()],
        "warnings": warnings,
    }


def roles(log: Interactions, declared: Declaration) -> dict[str, object]:
    """What each kind of event and each band of values says, and how many events are learnt.

    Returns:
        learnt: events that models learn from; with the counts of `not_learnt` they make all.
        repeats: learnt events whose user had chosen the item before.
        events: [{event, role, count, learnt}], every declared kind.
        bands: [{column, role, from, to, count, learnt}], every declared range of values.
        not_learnt: [{why, count}], each event under the one cause that decides.
    """
    codes, banded = polarities(log, declared), by_band(log, declared)
    return {
        "learnt": int((codes > 0).sum()),
        "repeats": _repeats(log, codes),
        "events": _events(log, declared, codes),
        "bands": _bands(declared, banded),
        "not_learnt": _not_learnt(log, declared, banded),
    }


def span(log: Interactions) -> list[str] | None:
    """First and last day of a log; None where it has no times."""
    if log.times is None or not log.num_events:
        return None
    ends = np.array([log.times.min(), log.times.max()], "datetime64[s]")
    return [str(day) for day in ends.astype("datetime64[D]")]


def _repeats(log: Interactions, codes: Int8s) -> int:
    chosen = codes > 0
    users = np.repeat(np.arange(log.num_users, dtype=np.int64), log.lengths)
    pairs = users[chosen] * (log.num_items + 1) + log.items[chosen]
    return len(pairs) - pl.Series(pairs).n_unique()


def _kinds(log: Interactions, where: npt.NDArray[np.bool_]) -> list[int]:
    """Events of each of the log's kinds, of those where `where` (N,) is true."""
    if log.events is None:
        return [int(where.sum())]
    counts: list[int] = np.bincount(log.events[where], minlength=len(log.event_names)).tolist()
    return counts


def _events(log: Interactions, declared: Declaration, codes: Int8s) -> list[dict[str, object]]:
    counts = dict(zip(log.event_names, _kinds(log, codes != 0), strict=True))
    learnt = dict(zip(log.event_names, _kinds(log, codes > 0), strict=True))
    return [
        {
            "event": name,
            "role": role,
            "count": counts.get(name, 0),
            "learnt": learnt.get(name, 0),
        }
        for name, role in declared.events.items()
    ]


def _bands(declared: Declaration, banded: Int8s) -> list[JsonObject]:
    column = declared.value.column if declared.value else ""
    bands = []
    for role in POLARITIES:
        if role in declared.bands:
            low, high = declared.bands[role]
            count = int((banded == CODES[role]).sum())
            learnt = count if CODES[role] > 0 else 0
            band = {"column": column, "role": role, "from": low, "to": high}
            bands.append({**band, "count": count, "learnt": learnt})
    return bands


def _not_learnt(log: Interactions, declared: Declaration, banded: Int8s) -> list[dict[str, object]]:
    kinds = _kinds(log, banded == 0)
    causes = [
        (f"{name} is {declared.events[name]}", count)
        for name, code, count in zip(log.event_names, by_kind(log, declared), kinds, strict=True)
        if code < 0
    ]
    for band in _bands(declared, banded):
        if not band["learnt"]:
            edges = f"{band['column']} from {band['from']:g} to {band['to']:g}"
            causes.append((f"{edges} is {band['role']}", band["count"]))
    return [{"why": why, "count": count} for why, count in causes if count]
