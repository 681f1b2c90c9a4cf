"""What a model thought before it answered, as a person reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rich.table import Table
from rich.text import Text

from tastemaker.commands.terminal import Screen, plain
from tastemaker.counts import counted
from tastemaker.files import JsonObject

_TITLE = 30
"""Most letters of a title beside its groups."""
_VERIFIER = 16
"""Most letters of what a verifier is called."""
_LEGEND = (
    "Uncertainty: 0 is sure, 1 knows nothing. Trust: whose word counts. Moved: how far checking "
    "moved the thought, in shares of its own length."
)
_WORDS = ((1 / 3, "fairly sure"), (2 / 3, "in doubt"), (0.9, "unsure"))
"""What is said of an uncertainty below a bound; from the last on it is hardly more than a guess."""


def show_thoughts(out: Screen, answer: JsonObject) -> None:
    """Thought by thought what verifiers say; then the items by the groups that the last expects.

    Args:
        out: Where it is shown.
        answer: An answer with thoughts, as JSON.
    """
    thoughts = answer["thoughts"]
    out.print()
    if thoughts[-1]["said"]:
        out.print(_table(thoughts))
        out.print(plain(_LEGEND, "dim"))
        out.print()
        out.print(plain(_sentence(thoughts)))
        if any(item["considered"] for item in answer["items"]):
            out.print()
            verifiers = [said["verifier"] for said in thoughts[-1]["said"]]
            out.print(_by_group(answer["items"], verifiers))
        return
    said = "nothing checks its thoughts, so there are no words for them"
    out.print(plain(f"It had {counted(len(thoughts), 'thought')} before it answered; {said}."))


def _table(thoughts: Iterable[JsonObject]) -> Table:
    """A row for each thought and verifier."""
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("Thought", justify="right", no_wrap=True)
    table.add_column("Verifier", no_wrap=True, max_width=_VERIFIER)
    table.add_column("Expects next")
    for name in ("Uncertainty", "Trust", "Moved"):
        table.add_column(name, justify="right", no_wrap=True)
    for step, thought in enumerate(thoughts, start=1):
        for place, said in enumerate(thought["said"]):
            groups = [_group(name, share) for name, share in said["groups"]]
            table.add_row(
                str(step) if place == 0 else "",
                plain(said["verifier"]),
                _cut(Text("\n").join(groups)),
                f"{said['uncertainty']:.2f}",
                _percent(said["trust"]),
                f"{thought['moved']:.2f}" if place == 0 else "",
            )
    return table


def _by_group(items: Iterable[JsonObject], verifiers: Iterable[str]) -> Table:
    """Items beside the group of theirs that the last thought finds likeliest, by each verifier."""
    names = list(verifiers)
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("Recommended", no_wrap=True, max_width=_TITLE)
    for name in names:
        table.add_column(plain(f"is in, by {name}"))
    for item in items:
        cells = (_cut(_likeliest(item["considered"], name)) for name in names)
        table.add_row(plain(item["title"]), *cells)
    return table


def _likeliest(considered: Mapping[str, float], verifier: str) -> Text:
    """Of an item's groups by one verifier the likeliest, and how many more there are."""
    begins = f"{verifier}: "
    own = {name: share for name, share in considered.items() if name.startswith(begins)}
    if not own:
        return plain("in no group", "dim")
    best = max(own, key=lambda name: own[name])
    shown = _group(best.removeprefix(begins), own[best])
    return shown.append_text(plain(f" and {len(own) - 1:,} more")) if len(own) > 1 else shown


def _group(name: str, share: float) -> Text:
    return plain(f"{_percent(share):>4} {name}")


def _cut(text: Text) -> Text:
    """Text whose lines are cut where a column ends, which then gives way to all others."""
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _percent(share: float) -> str:
    """A share as a person reads it: little is not nothing."""
    return "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def _sentence(thoughts: list[JsonObject]) -> str:
    """What came of it, in words."""
    last = thoughts[-1]
    heard = max(last["said"], key=lambda said: float(said["trust"]))
    bounds = (word for bound, word in _WORDS if heard["uncertainty"] < bound)
    sure = next(bounds, "close to guessing")
    group, share = heard["groups"][0]
    return (
        f"After {counted(len(thoughts), 'thought')} the model listens most to {heard['verifier']} "
        f"({_percent(heard['trust'])}), which expects “{group}” ({_percent(share)}) and is {sure}; "
        f"the last thought moved by {_percent(last['moved'])} of its length."
    )
