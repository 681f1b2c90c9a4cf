"""What `tastemaker embed` shows a person."""

from __future__ import annotations

from rich.table import Table

from tastemaker.commands.terminal import plain, screen
from tastemaker.counts import counted
from tastemaker.files import JsonObject

MEASURES = {
    "i2t_recall@1": "a picture finds its text, Recall@1",
    "i2t_recall@5": "… Recall@5",
    "t2i_recall@1": "a text finds its picture, Recall@1",
    "t2i_recall@5": "… Recall@5",
    "perplexity": "perplexity of captions",
    "exact": "captions that are exactly right",
    "gap": "gap between pictures and texts",
}
"""Measures that are shown, in their order."""
OF = {"picture": "pictures", "text": "texts", "both": "pictures and texts"}
"""What vectors are made of, in words."""
_TITLE = 60
"""Most characters of a title, or of what was looked for, in a table."""


def show_embedding(results: JsonObject) -> None:
    """What was learned from, how well it finds and tells before and after, and where it is."""
    out = screen()
    if "data" not in results:
        return
    data = results["data"]
    told = (
        f"{results['model']['name']} learned from {counted(data['train'], 'picture')} of "
        f"{data['name']}, tested on {counted(data['test'], 'other')}"
    )
    out.print(plain(told, "bold"))
    for warning in results["warnings"]:
        out.print(plain(warning))
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("on the test")
    for name in ("before", "after", "95 % interval"):
        table.add_column(name, justify="right")
    for name, title in MEASURES.items():
        if name in results["after"]:
            before, after = results["before"].get(name, {}), results["after"][name]
            first = f"{before['mean']:.3f}" if before else ""
            ends = " to ".join(f"{end:.3f}" for end in after.get("ci95", ()))
            table.add_row(title, first, f"{after['mean']:.3f}", ends)
    out.print(table)
    out.print(plain(f"{results['run']}/report.html"), soft_wrap=True)


def show_encoded(answer: JsonObject) -> None:
    """How many vectors went where."""
    many, of = counted(answer["items"], "vector"), OF[answer["side"]]
    out = screen()
    out.print(plain(f"{many} of {of}, {answer['dim']} wide: {answer['to']}"), soft_wrap=True)
    _left_out(answer)
    if answer["cut"]:
        out.print(plain(f"{counted(answer['cut'], 'text')} longer than the model reads: cut."))
    for warning in answer["warnings"]:
        out.print(plain(warning))


def show_search(answer: JsonObject) -> None:
    """The items, each with its cosine."""
    out = screen()
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(plain(answer["query"]), no_wrap=True, max_width=_TITLE)
    table.add_column("id", style="dim")
    table.add_column("cosine", justify="right")
    for item in answer["items"]:
        table.add_row(plain(item["title"]), plain(item["item_id"]), f"{item['score']:.3f}")
    out.print(table)
    _left_out(answer)
    for warning in answer["warnings"]:
        out.print(plain(warning))


def show_captions(answer: JsonObject) -> None:
    """A caption a picture, or where they went."""
    out = screen()
    if "to" in answer:
        out.print(plain(f"{counted(answer['items'], 'caption')}: {answer['to']}"))
        _left_out(answer)
    for row in answer.get("captions", ()):
        out.print(plain(f"{row['picture']}: {row['caption']}"), soft_wrap=True)
    for warning in answer["warnings"]:
        out.print(plain(warning))


def _left_out(answer: JsonObject) -> None:
    if answer["dropped"]:
        screen().print(plain(f"{counted(answer['dropped'], 'bad row')} left out."))
