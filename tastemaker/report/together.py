"""The section of items that go together, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import zip_longest

from tastemaker.report.tables import listed, objects
from tastemaker.report.wording import finite


def together(results: Mapping[str, object]) -> list[dict[str, object]] | None:
    """Items and what goes with each at several dials; None where the run has no such lists."""
    shown: list[dict[str, object]] = []
    for example in objects(results, "together"):
        usual = finite(example.get("usual"))
        columns = objects(example, "lists")
        lists = [[*map(str, listed(column, "items"))] for column in columns]
        shown.append(
            {
                "item": str(example.get("item", "")),
                "dials": [_dial(finite(column.get("relevance")), usual) for column in columns],
                "rows": list(zip_longest(*lists, fillvalue="")),
            }
        )
    return shown or None


def _dial(relevance: float | None, usual: float | None) -> str:
    """What a place of the dial means."""
    named = {0.0: "What people also choose", 1.0: "What is really similar"}
    said = named.get(relevance or 0.0, "Between")
    here = " (usual)" if relevance == usual else ""
    return f"{said}, relevance {relevance or 0.0:.2g}{here}"
