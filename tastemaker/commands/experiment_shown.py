"""What `tastemaker evaluate RUN --experiment NAME` shows: arms, differences, verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from tastemaker.commands.terminal import Screen, plain
from tastemaker.files import JsonObject


def show_experiment(out: Screen, answer: JsonObject) -> None:
    """Warnings first, then a row an arm, and for each arm how it differs and the verdict."""
    for warning in answer["warnings"]:
        out.print(Text("! ", style="bold yellow") + plain(warning))
    name, window = answer["experiment"], answer["window"]
    out.print(plain(f"{name}: events within {window} of the first exposure"), soft_wrap=True)
    out.print(_arms(answer["arms"], answer["control"]))
    for pair in answer["differences"]:
        out.print()
        out.print(_differences(pair))
        out.print(plain(pair["said"], "bold"))
    if len(answer["differences"]) > 1:
        out.print()
        out.print(plain("Intervals are widened so that all comparisons hold together."))


def _arms(arms: Sequence[JsonObject], control: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("arm")
    for name in ("share", "assigned", "exposed", "unripe", "users", "conversion", "hit"):
        table.add_column(name, justify="right")
    for arm in arms:
        numbers = [f"{arm[name]:,}" for name in ("assigned", "exposed", "unripe", "users")]
        shares = [_share(arm["metrics"].get(name)) for name in ("conversion", "hit")]
        named = arm["arm"] + (" (control)" if arm["arm"] == control else "")
        table.add_row(plain(named), f"{arm['share']:.1%}", *numbers, *shares)
    return table


def _differences(pair: JsonObject) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(plain(f"{pair['arm']} − {pair['against']}"))
    for name in ("difference", "for one look", "for any looks", "detectable"):
        table.add_column(name, justify="right")
    for name, one in pair["metrics"].items():
        value, least = one["difference"], one["detectable"]
        table.add_row(
            plain(name),
            "–" if value is None else f"{value:+.4f}",
            _range(one["ci"]),
            _range(one["any_time"]),
            "–" if least is None else f"{least:.4f}",
        )
    return table


def _share(metric: JsonObject | None) -> str:
    if metric is None:
        return "–"
    low, high = metric["ci95"]
    return f"{metric['mean']:.1%} [{low:.1%}, {high:.1%}]"


def _range(ends: Sequence[float] | None) -> str:
    return "–" if ends is None else f"[{ends[0]:+.4f}, {ends[1]:+.4f}]"
