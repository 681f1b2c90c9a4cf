"""What `tastemaker reinforce` shows a person."""

from __future__ import annotations

from rich.table import Table

from tastemaker.commands.terminal import plain, screen
from tastemaker.counts import counted
from tastemaker.files import JsonObject

KEPT = {"yes": "kept", "no": "not kept", "unchecked": "kept, unchecked"}


def show_reinforcement(results: JsonObject) -> None:
    """What was learned from, accuracy before and after, whether it is kept, and where."""
    out = screen()
    if "signal" not in results:
        return
    many = counted(results["prompts"]["count"], "prompt")
    told = f"{results['model']['name']} learned from {many} by {results['signal']}"
    out.print(plain(f"{told}: {KEPT[results['kept']]}", "bold"))
    for warning in results["warnings"]:
        out.print(plain(warning))
    if accuracy := results["accuracy"]:
        table = Table(box=None, header_style="dim", pad_edge=False)
        for name in ("accuracy on held-out prompts", "mean", "95 % interval"):
            table.add_column(name, justify="left" if name.startswith("acc") else "right")
        for name, cell in accuracy.items():
            low, high = cell["ci95"]
            sign = "+" if name == "change" else ""
            ends = f"{low:{sign}.3f} to {high:{sign}.3f}"
            table.add_row(name, f"{cell['mean']:{sign}.3f}", ends)
        out.print(table)
    out.print(plain(results["why"]))
    out.print(plain(results["run"]), soft_wrap=True)
