"""What `tastemaker reinforce vtool` and `tastemaker ask` show a person."""

from __future__ import annotations

import shlex

from rich.table import Table

from tastemaker.commands.reinforce_shown import KEPT
from tastemaker.commands.terminal import plain, screen
from tastemaker.counts import counted
from tastemaker.files import JsonObject


def show_visual(results: JsonObject) -> None:
    """What was learned from, accuracy and tool rate before and after, and what to type next."""
    out = screen()
    if "data" not in results:
        return
    data, run = results["data"], results["run"]
    many = counted(data["train"], "question")
    told = f"{results['model']['name']} learned from {many} of {data['name']}"
    out.print(plain(f"{told}: {KEPT[results['kept']]}", "bold"))
    for warning in results["warnings"]:
        out.print(plain(warning))
    if results["after"]["questions"]:
        table = Table(box=None, header_style="dim", pad_edge=False)
        table.add_column(f"on {counted(data['held_out'], 'held-out question')}")
        for name in ("before", "after"):
            table.add_column(name, justify="right")
        for name, title in (("accuracy", "right"), ("tool_rate", "tool called")):
            table.add_row(title, *(f"{results[when][name]:.3f}" for when in ("before", "after")))
        out.print(table)
    out.print(plain(f"{run}/report.html"), soft_wrap=True)
    if results["kept"] == "no" and not results["model"]["tiny"]:
        return
    shown = results["examples"][0] if results["examples"] else {}
    picture = f"{run}/examples/{shown['picture']}" if shown else "IMAGE"
    question = shown.get("question", "Which is highest?")
    words = ["tastemaker", "ask", picture, question, "--model", str(run), "--tools"]
    out.print(plain(f"Next: {shlex.join(words)}"), soft_wrap=True)


def show_answer(answer: JsonObject) -> None:
    """The answer, what was done for it, and where the page is."""
    from tastemaker.report.visual import OUTCOMES

    out = screen()
    said = answer["answer"]
    out.print(plain(said if said is not None else "No final answer.", "bold"), soft_wrap=True)
    out.print(plain(OUTCOMES[answer["outcome"]]))
    for step in answer["steps"]:
        if step["code"]:
            for line in (*step["code"].splitlines(), *(step["told"] or "").splitlines()):
                out.print(plain(f"  {line}"), soft_wrap=True)
    for warning in answer["warnings"]:
        out.print(plain(warning), soft_wrap=True)
    if answer["page"]:
        out.print(plain(answer["page"]), soft_wrap=True)
