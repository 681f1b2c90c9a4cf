"""The section of heads that people can name, as plain values."""

from __future__ import annotations

from collections.abc import Mapping

from tastemaker.options import HEADLINE
from tastemaker.report.tables import listed, objects, part
from tastemaker.report.wording import count, finite, number, percent, things

SHOWN = 30
"""Heads in the table, those that speak most."""


def heads(results: Mapping[str, object]) -> dict[str, object] | None:
    """Parameters, heads by how much they say, and what nothing trained; None without heads."""
    recorded = part(results, "heads")
    rows = objects(recorded, "heads")
    if not rows:
        return None
    rows = sorted(rows, key=lambda row: -(finite(row.get("share")) or 0.0))
    parameters, total = part(recorded, "parameters"), finite(recorded.get("count"))
    axes, untrained = part(recorded, "axes"), part(recorded, "untrained")
    left = 0 if total is None else int(total) - len(rows[:SHOWN])
    users = recorded.get("users")
    return {
        "parameters": [(f"Parameters of the {name}", count(n)) for name, n in parameters.items()],
        "rows": [_row(row) for row in rows[:SHOWN]],
        "more": things(left, "head") if left > 0 else "",
        "users": "" if finite(users) is None else things(users, "test user"),
        "axes": [(axis, _groups(part(axes, axis))) for axis in axes],
        "untrained": [(axis, ", ".join(map(str, listed(untrained, axis)))) for axis in untrained],
    }


def _groups(axis: Mapping[str, object]) -> str:
    """The first groups of an axis, and how many there are beside."""
    names = [str(name) for name in listed(axis, "groups")]
    left = (finite(axis.get("count")) or 0.0) - len(names)
    return ", ".join(names) + (f" and {count(left)} more" if left > 0 else "")


def _row(row: Mapping[str, object]) -> dict[str, str]:
    """A head as text."""
    items = row.get("items")
    asked = finite(row.get("users"))
    return {
        "name": str(row.get("name", "")),
        "items": "all" if items is None else count(items),
        "targets": count(row.get("targets")),
        "weight": percent(row.get("weight")),
        "share": percent(row.get("share")),
        "ndcg": number(row.get(HEADLINE)),
        "users": "" if asked is None else f"n {count(asked)}",
    }
