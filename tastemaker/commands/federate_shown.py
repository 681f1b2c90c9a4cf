"""What `tastemaker federate` shows a person."""

from __future__ import annotations

from rich.table import Table

from tastemaker.commands.terminal import plain, screen
from tastemaker.counts import counted
from tastemaker.files import JsonObject


def show_federation(results: JsonObject) -> None:
    """Who trained what, how good it is and for whom, what was sent and rejected, and where."""
    out = screen()
    data, method = results["data"], results["method"]["kind"]
    many = counted(data["clients"], "client")
    told = f"{method}: {counted(results['rounds'], 'round')}, {many}, {data['name']}"
    out.print(plain(told, "bold"))
    for warning in results["warnings"]:
        out.print(plain(warning))
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    table.add_column()
    table.add_row(results.get("measure", "accuracy"), f"{results['accuracy']:.3f}", "")
    if (gain := results.get("ndcg@10")) is not None:
        table.add_row("NDCG@10", f"{gain:.3f}", "")
    for name in ("worst_class", "worst_client"):
        if worst := results[name]:
            share = f"{worst['accuracy']:.3f}"
            table.add_row(name.replace("_", " "), share, plain(worst["name"]))
    sent = results["bytes"]
    table.add_row("sent", f"{(sent['down'] + sent['up']) / 1e6:,.1f}", "MB")
    table.add_row("rejected", f"{results['rejected']['count']:,}", "updates")
    table.add_row("failed", f"{results['failed']:,}", "rounds")
    if privacy := results.get("privacy"):
        told = f"at delta {privacy['delta']:g}"
        table.add_row("epsilon", f"{privacy['epsilon']:.2f}", told)
    out.print(table)
    out.print(plain(f"{results['run']}/report.html"), soft_wrap=True)


def show_joined(results: JsonObject) -> None:
    """What was learned from, and where the model is."""
    out = screen()
    many = counted(results["examples"], "example")
    classes = counted(len(results["classes"]), "class", "classes")
    told = f"{results['client']} took part with {many}; the model tells {classes} apart"
    out.print(plain(told, "bold"))
    out.print(plain(results["run"]), soft_wrap=True)
