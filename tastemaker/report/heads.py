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
    other = part(recorded, "other")
    left = 0 if total is None else int(total) - len(rows[:SHOWN])
    users = recorded.get("users")
    return {
        "parameters": [(f"Parameters of the {name}", count(n)) for name, n in parameters.items()],
        "rows": [_row(row) for row in rows[:SHOWN]],
        "more": things(left, "head") if left > 0 else "",
        "users": "" if finite(users) is None else things(users, "test user"),
        "silent": _silent(results),
        "axes": [(axis, _groups(part(axes, axis))) for axis in _telling(axes)],
        "doubled": "category" in axes,
        "other": [(axis, _rest(part(other, axis))) for axis in other],
        "untrained": [(axis, ", ".join(map(str, listed(untrained, axis)))) for axis in untrained],
    }


def _silent(results: Mapping[str, object]) -> str:
    """The model with the heads where a blend recommends that gives it no weight; else empty."""
    name = str(part(results, "training").get("model", ""))
    unheard = results.get("best") == "blend" and finite(part(results, "blend").get(name)) == 0
    return name if unheard else ""


def _telling(axes: Mapping[str, object]) -> list[str]:
    """Axes of several groups; all where none has."""
    several = [axis for axis in axes if (finite(part(axes, axis).get("count")) or 0) > 1]
    return several or list(axes)


def _rest(other: Mapping[str, object]) -> str:
    """How many members an axis has in no group but `other`."""
    return f"{count(other.get('count'))} of {count(other.get('members'))} {other.get('of')}"


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
