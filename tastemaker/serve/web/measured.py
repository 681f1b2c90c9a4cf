"""How well the models of a run were measured to recommend, for a table: the best first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tastemaker.report.wording import finite, interval, number
from tastemaker.serve.opened import SHOWN_METRICS

FIRST = SHOWN_METRICS[0]
"""By which the models are sorted and compared."""
TITLES = {
    "ndcg@10": "NDCG@10",
    "hr@10": "HR@10",
    "mrr@10": "MRR@10",
    "coverage@10": "Coverage@10",
    "novelty@10": "Novelty@10",
}
_DIGITS = {"novelty@10": 2}


@dataclass(frozen=True)
class Value:
    """One measured number."""

    shown: str
    between: str
    """its interval; empty: it has none"""


@dataclass(frozen=True)
class Measured:
    """A model as it was measured."""

    name: str
    served: bool
    first: tuple[float | None, float, float | None] | None
    """low end, value and high end of `FIRST`"""
    values: tuple[Value, ...]
    """of each of `SHOWN_METRICS`"""
    behind: Value | None
    """by how much the model that the run recommends with is ahead of it; None: not compared"""
    users: int | None


def measured(results: Mapping[str, Any], served: str) -> list[Measured]:
    """The models of `results.json`, the best first.

    Args:
        results: What a run measured.
        served: Name of the model that it recommends with.
    """
    behind = {one["b"]: one for one in results.get("comparisons", []) if one["a"] == served}
    rows = []
    for name, metrics in results.get("models", {}).items():
        values = tuple(_value(metrics.get(metric, {}), metric) for metric in SHOWN_METRICS)
        users = metrics.get(FIRST, {}).get("users")
        first = _ends(metrics.get(FIRST, {}))
        gap = _gap(behind[name]) if name in behind else None
        rows.append(Measured(name, name == served, first, values, gap, users))
    return sorted(rows, key=lambda row: -(row.first[1] if row.first else -1.0))


def _value(found: Mapping[str, Any], metric: str) -> Value:
    digits = _DIGITS.get(metric, 4)
    return Value(number(found.get("mean"), digits), interval(found.get("ci95"), digits))


def _ends(found: Mapping[str, Any]) -> tuple[float | None, float, float | None] | None:
    mean = finite(found.get("mean"))
    low, high = (found.get("ci95") or (None, None))[:2]
    return None if mean is None else (finite(low), mean, finite(high))


def _gap(compared: Mapping[str, Any]) -> Value:
    return Value(number(compared.get("difference")), interval(compared.get("ci95")))
