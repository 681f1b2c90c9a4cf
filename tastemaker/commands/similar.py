"""tastemaker similar: what goes with one item, by engagement, by relevance, or between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import tyro
from rich.table import Table

from tastemaker.commands.lists import ItemLists
from tastemaker.commands.terminal import plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import Count, Positional, Repeatable
from tastemaker.run.wishes import Wishes, weights
from tastemaker.threads import recorded


@dataclass(frozen=True)
class SimilarOptions:
    """Items that go with one item."""

    run: Positional
    """run directory; a model such as mtmh says more than counting does"""
    item: str = ""
    """id or title of the item; where it is neither, the nearest titles are named"""
    relevance: Annotated[float | None, tyro.conf.arg(metavar="FLOAT")] = None
    """from 0, what people also choose, to 1, what is really similar; default: that of the model"""
    k: Count = 10
    """number of items, at least 1"""
    offset: int = 0
    """items to pass over, such as those of earlier pages"""
    boost: Repeatable = ()
    """group to favour, such as `Comedy=0.3`, added to scores from -1 to 1"""
    only: Repeatable = ()
    """group to take items from; of several: items of any of them"""
    allow: str = ""
    """file of item ids, one a line or in a column item_id: only these are given"""
    deny: str = ""
    """file of item ids, likewise: these are not"""
    diversify: float = 0.0
    """from 0, the ranking itself, to 1, items that are as unlike each other as can be"""

    def __post_init__(self) -> None:
        """Refuse to search from nothing.

        Raises:
            BadInput: If no item is given.
        """
        if not self.item:
            raise BadInput("No item is given.", "--item", "Give --item ID or --item TITLE.")


def similar(options: SimilarOptions) -> JsonObject:
    """Find items that go with one item, by what people also choose and by what is similar."""
    boost = weights(options.boost)
    lists = ItemLists.read(options.allow, options.deny)
    wishes = Wishes(  # checked before a large run is opened
        options.k,
        options.offset,
        boost,
        options.only,
        relevance=options.relevance,
        diversify=options.diversify,
    )

    from tastemaker.run.saved import open_run
    from tastemaker.run.similar import answer_similar

    saved = open_run(options.run)
    allow, deny = lists.known(saved.shelf)
    wishes = replace(wishes, allow=allow, deny=deny)
    return answer_similar(saved, options.item, wishes).to_json()


def show_similar(answer: JsonObject) -> None:
    """The items, each with its score and how much of it came from either head."""
    out, table = screen(), Table(box=None, header_style="dim", pad_edge=False)
    table.add_column(plain(f"Goes with {answer['item']['title']}"))
    scored = any(item["parts"] for item in answer["items"])
    if scored:
        table.add_column("score", justify="right")
        table.add_column("of which")
    for item in answer["items"]:
        parts = " · ".join(f"{name} {share:.2f}" for name, share in item["parts"].items())
        table.add_row(plain(item["title"]), *([f"{item['score']:.2f}", parts] if scored else []))
    out.print()
    out.print(table)
    out.print(plain(answer["reason"]))
    if not answer["complete"]:
        out.print(plain(f"Only {counted(len(answer['items']), 'item')} could be given."))


VERBS: dict[str, Verb | Later] = {
    "similar": Verb(similar, SimilarOptions, show_similar, lambda asked: recorded(asked.run))
}
