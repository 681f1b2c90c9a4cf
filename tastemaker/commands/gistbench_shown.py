"""What `tastemaker gistbench` shows a person."""

from __future__ import annotations

from rich.table import Table

from tastemaker.commands.terminal import Screen, plain, screen
from tastemaker.counts import counted
from tastemaker.files import JsonObject

SCORES = {"hm": "HM", "ig_f1": "IG_F1", "ig_p": "IG_P", "ig_r": "IG_R", "is": "IS"}
"""Columns of a table of models."""


def show_results(results: JsonObject) -> None:
    """Scores with intervals, evidence, counting, what failed and what was spent."""
    out, users = screen(), results["users"]
    judge = results["judge"]["name"] if results["judge"] else "nobody"
    out.print(plain(
        f"{results['model']['name']} on {results['task']['name']}: "
        f"{counted(users['scored'], 'user')}, judged by {judge}, {results['mode']} mode", "bold"
    ))  # fmt: skip
    if users["excluded"]:
        many = counted(len(users["excluded"]), "user")
        out.print(plain(f"Left out, since the oracle does not know them: {many}"))
    if users["silent"]:
        out.print(plain(f"Nothing was written of {counted(users['silent'], 'user')}"))
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("score", "mean", "95 % interval"):
        table.add_column(name, justify="left" if name == "score" else "right")
    cells = {SCORES[name]: results["scores"][name] for name in SCORES}
    evidence = results["evidence"] or {}
    cells |= {"citations that exist": evidence.get("validity")}
    cells |= {"interests that cite enough": evidence.get("compliance")}
    for kind, counts in results["counting"].items():
        cells[f"counting error, {kind.replace('_', ' ')}"] = counts["error"]
    for title, cell in cells.items():
        table.add_row(title, *_interval(cell))
    out.print(table)
    failed = {name: many for name, many in results["failures"].items() if many}
    if failed:
        told = ", ".join(f"{name.replace('_', ' ')} {many:,}" for name, many in failed.items())
        out.print(plain(f"Failed, and scored 0: {told}"))
    _spent(out, results)
    out.print(plain(results["folder"]), soft_wrap=True)


def _spent(out: Screen, results: JsonObject) -> None:
    for who, tokens in results["tokens"].items():
        if tokens["requests"]:
            total = tokens["prompts"] + tokens["replies"]
            cost, seconds = results["cost"][who], results["seconds"][who]
            told = f"{who}: {counted(tokens['requests'], 'reply', 'replies')}, {total:,} tokens"
            out.print(plain(f"{told}, {seconds:,.0f} s" + (f", cost {cost:,.2f}" if cost else "")))


def _interval(cell: JsonObject | None) -> tuple[str, str]:
    if cell is None:
        return "–", ""
    low, high = cell["ci95"]
    return f"{cell['mean']:.3f}", f"{low:.3f} to {high:.3f}"


def show_ls(answer: JsonObject) -> None:
    """One task a line, then the names of models."""
    out, table = screen(), Table.grid(padding=(0, 3))
    for name, words in answer["tasks"].items():
        table.add_row(plain(name, "bold"), plain(words))
    out.print(table)
    out.print(plain(f"Models for any task: {', '.join(answer['baselines'])}"))
    out.print(plain(f"Models for planted users: {', '.join(answer['simulated'])}"))


def show_leaderboard(board: JsonObject) -> None:
    """A table a ranking, the best first, with the difference of each row to the first."""
    out = screen()
    for ranking in board["rankings"]:
        judge = ranking["judge"]["name"] if ranking["judge"] else "nobody"
        many = counted(ranking["users"], "user")
        title = f"{ranking['task']['name']}, {ranking['mode']} mode, judged by {judge}, {many}"
        out.print(plain(title, "bold"))
        table = Table(box=None, header_style="dim", pad_edge=False)
        for name in ("model", *SCORES.values(), "against the first", "p"):
            table.add_column(name, justify="left" if name == "model" else "right")
        pairs = {pair["a"]: pair for pair in ranking["comparisons"]}
        for label, numbers in ranking["models"].items():
            cells = [" ".join(_interval(numbers[name])[:1]) for name in SCORES]
            pair = pairs.get(label)
            against = _against(pair) if pair else ("", "")
            table.add_row(plain(label), *cells, *against)
        out.print(table)


def _against(pair: JsonObject) -> tuple[str, str]:
    low, high = pair["ci95"]
    return f"{pair['difference']:+.3f} [{low:+.3f}, {high:+.3f}]", f"{pair['p']:.4f}"
