"""What `tastemaker evaluate RUN --experiment NAME` shows: arms, differences, verdicts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.table import Table
from rich.text import Text

from tastemaker.commands.terminal import Screen, plain
from tastemaker.files import JsonObject

COUNTS = ("assigned", "exposed", "unripe", "users", "answers", "positives")
"""Columns of the table of arms."""


def show_experiment(out: Screen, answer: JsonObject) -> None:
    """Warnings first, then a row an arm, and for each arm how it differs and the verdict."""
    for warning in answer["warnings"]:
        out.print(Text("! ", style="bold yellow") + plain(warning))
    name, window = answer["experiment"], answer["window"]
    out.print(plain(f"{name}: events within {window} of the first exposure"), soft_wrap=True)
    out.print(_arms(answer["arms"]))
    arms = {arm["arm"]: arm["metrics"] for arm in answer["arms"]}
    for pair in answer["differences"]:
        out.print()
        out.print(plain(pair["said"], "bold"))
        out.print(_differences(pair, arms))
    if len(answer["differences"]) > 1:
        out.print()
        out.print(plain("Intervals are widened so that all comparisons hold together."))


def _arms(arms: Sequence[JsonObject]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("arm")
    for name in ("share", *COUNTS):
        table.add_column(name, justify="right")
    for arm in arms:
        numbers = [f"{arm[name]:,}" for name in COUNTS]
        table.add_row(plain(arm["arm"]), f"{arm['share']:.1%}", *numbers)
    return table


def _differences(pair: JsonObject, arms: Mapping[str, JsonObject]) -> Table:
    """A row a metric: both means, and their difference with intervals for one look and for any."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("")
    for name in ("control", "arm", "difference", "at any look"):
        table.add_column(name, justify="right")
    for name, one in pair["metrics"].items():
        means = [arms[arm].get(name) for arm in (pair["against"], pair["arm"])]
        cells = ["–" if mean is None else f"{mean['mean']:.4f}" for mean in means]
        table.add_row(plain(name), *cells, _range(one["ci"]), _range(one["any_time"]))
    return table


def _range(ends: Sequence[float] | None) -> str:
    return "–" if ends is None else f"[{ends[0]:+.4f}, {ends[1]:+.4f}]"
