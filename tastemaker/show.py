"""Answers for people: tables and sentences on the terminal.

Text from data may hold anything, so control characters are made visible and markup is not read.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tastemaker.errors import OutOfResources, TastemakerError

METRICS = ("ndcg@10", "hr@10", "coverage@10")


def plain(value: object) -> Text:
    """Text without markup, its control characters replaced by visible ones."""
    shown = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))
    return Text(shown)


def verbs(summaries: Mapping[str, str], wrong: Sequence[str]) -> None:
    """The commands there are; `wrong` is what was asked for instead."""
    out = Console(stderr=bool(wrong), highlight=False)
    if wrong:
        out.print(plain(f"There is no command {' '.join(wrong[:2])!r}."))
    out.print("tastemaker: learn what people like from what they did.\n")
    table = Table.grid(padding=(0, 3))
    for name, summary in summaries.items():
        table.add_row(Text(f"tastemaker {name}", style="bold"), summary)
    out.print(table)
    out.print("\nEvery command has --help, --json and --debug.")


def error(fault: TastemakerError, as_json: bool) -> None:
    """One paragraph on standard error; with `--json` the fields on standard output."""
    if as_json:
        print(json.dumps(fault.fields, ensure_ascii=False))
    else:
        lines = [str(plain(line)) for line in str(fault).splitlines()]
        print("\n".join([f"Error: {lines[0]}", *lines[1:]]), file=sys.stderr)


def out_of_memory() -> TastemakerError:
    """The error for a computation that did not fit in memory."""
    fix = "Use a smaller batch or history, or a machine with more memory."
    return OutOfResources("The memory of this machine ran out.", "", fix)


def run(answer: Mapping[str, Any]) -> None:
    """Models with intervals, the best one, a user by title, and where the report is."""
    out = Console(highlight=False)
    data, cut = answer["data"], answer["split"]
    out.print(
        f"\n{data['name']}: {data['users']:,} users, {data['items']:,} items, "
        f"{data['interactions']:,} interactions; {cut['name']}, {cut['test_users']:,} test users"
    )
    evaluation(answer)
    for example in answer.get("examples", [])[:1]:
        _beside(out, example["history"], example["recommendations"], example["user"])
    out.print()
    out.print(plain(f"Report: {answer['run']}/report.html"), soft_wrap=True)
    out.print(plain(f"Next: tastemaker recommend {answer['run']} --user ID"), soft_wrap=True)


def evaluation(answer: Mapping[str, Any]) -> None:
    """A row a model: means and 95 % intervals; or a paired comparison."""
    out = Console(highlight=False)
    if "comparison" in answer:
        _comparison(out, answer["comparison"])
        return
    for warning in answer.get("warnings", []):
        out.print(Text("! ", style="bold yellow") + plain(warning))
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("model")
    for name in METRICS:
        table.add_column(name.upper() if "@" in name else name, justify="right")
    for name, metrics in answer["models"].items():
        best = name == answer["best"]
        cells = [_interval(metrics.get(metric)) for metric in METRICS]
        table.add_row(("→ " if best else "  ") + name, *cells, style="bold" if best else "")
    out.print(table)
    out.print(plain(answer["why"]))


def tuned(found: Mapping[str, Any]) -> None:
    """A row a model: trials, validation before and after, settings; then the tuned run."""
    out = Console(highlight=False)
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("model", "trials", "NDCG@10 on validation", "settings"):
        table.add_column(name)
    for name, one in found["tuned"].items():
        first = "failed" if one["first"] is None else f"{one['first']:.4f}"
        settings = ", ".join(f"{key} {value}" for key, value in one["settings"].items())
        values = f"{first} → {one['best']:.4f}"
        table.add_row(name, str(one["trials"]), values, plain(settings or "as they were"))
    out.print(table)
    run(found)
    out.print(plain(f"Trials: {found['trials']}"), soft_wrap=True)


def answer(found: Mapping[str, Any]) -> None:
    """What a user liked beside what is recommended."""
    out = Console(highlight=False)
    _beside(out, list(found["history"]), found["items"], found["user"])
    out.print(plain(found["reason"]))
    if not found["complete"]:
        out.print(plain(f"Only {len(found['items'])} items could be recommended."))


def names(found: Mapping[str, Any]) -> None:
    """One name a line."""
    for name in found["data"]:
        print(name)


def models(found: Mapping[str, Any]) -> None:
    """One model a line: name, what it takes, size, licence, and whether it is here."""
    table = Table.grid(padding=(0, 3))
    for one in found["models"]:
        here = "installed" if one["installed"] else "not installed"
        size = f"{one['bytes'] / 1e6:.0f} MB"
        table.add_row(*(plain(t) for t in (one["name"], one["kind"], size, one["licence"], here)))
    Console(highlight=False).print(table)


def installed(found: Mapping[str, Any]) -> None:
    """One sentence."""
    word = "was installed already" if found["already"] else "is installed"
    Console(highlight=False).print(plain(f"{found['name']} {word}."))


def checked(found: Mapping[str, Any]) -> None:
    """One sentence: all is well, or how much was dropped."""
    out = Console(highlight=False)
    out.print(plain(f"{found['name']}: {found['interactions']:,} interactions can be used."))
    if found["dropped"]:
        out.print(plain(f"{found['dropped']:,} bad rows were left out: {found['dropped_to']}"))


def description(found: Mapping[str, Any]) -> None:
    """Key and value, one a line."""
    table = Table.grid(padding=(0, 3))
    for key, value in found.items():
        table.add_row(Text(key.replace("_", " "), style="dim"), plain(_value(value)))
    Console(highlight=False).print(table)


def _value(value: object) -> str:
    if isinstance(value, list):
        return " to ".join(map(str, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _interval(value: Mapping[str, Any] | None) -> str:
    if value is None:
        return "–"
    ends = value.get("ci95")
    return f"{value['mean']:.4f}" + (f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else "")


def _comparison(out: Console, found: Mapping[str, Any]) -> None:
    low, high = found["ci95"]
    out.print(
        plain(
            f"{found['a']} − {found['b']}, {found['metric']}, {found['users']:,} users: "
            f"{found['difference']:+.4f} [{low:+.4f}, {high:+.4f}], p = {found['p']:.4f}; "
            f"better for {found['better']:.1%}, equal {found['equal']:.1%}, "
            f"worse {found['worse']:.1%}"
        )
    )


def _beside(
    out: Console, history: Sequence[str], items: Sequence[Mapping[str, Any]], user: str
) -> None:
    table = Table(box=None, header_style="dim", pad_edge=False)
    if history:
        table.add_column(plain(f"User {user}, newest first"))
    table.add_column("Recommended")
    for at in range(max(len(items), min(len(history), 10))):
        left = [plain(history[at] if at < len(history) else "")] if history else []
        table.add_row(*left, plain(items[at]["title"] if at < len(items) else ""))
    out.print()
    out.print(table)
