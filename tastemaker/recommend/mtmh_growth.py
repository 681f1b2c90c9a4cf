"""Whether an MTMH-style model can go on with more items: by what it says of those it knows.

It reads items by numbers of categories and by vectors of texts, neither of which a run keeps. Words
are learnt from a catalogue's texts, and categories are numbered in their order, so another
catalogue may give other ones: then the weights would read noise. Where they still say of every item
what they said, they read what they learned.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.recommend.merge import ItemHeads

NEAR = 1e-3
"""Most that a number of a vector may differ; vectors are of length one."""
_TABLES = {"network.ids.weight", "network.groups.weight"}
"""What has a row an item, or a row a category."""
_FIX = "Train afresh, or name an encoder, which no catalogue changes: --model.encoder minilm."


def grown_state(known: dict[str, Tensor], fresh: dict[str, Tensor]) -> dict[str, Tensor]:
    """The weights of a model of more items: what was learned, and what is new as it begins.

    Raises:
        BadInput: If there are fewer categories than before, or texts of another length.
    """
    state = known | {"encoder": fresh["encoder"]}
    for name in _TABLES & known.keys() & fresh.keys():
        state[name] = torch.cat([known[name], fresh[name][len(known[name]) :]])
    shapes = [{name: one.shape for name, one in side.items()} for side in (state, fresh)]
    if shapes[0] != shapes[1]:
        what = "Items have other categories, or texts of other words, than those learnt from."
        raise BadInput(what, "the items table", _FIX)
    return state


def refuse_others(before: ItemHeads, now: ItemHeads, num_items: int) -> None:
    """Refuse to go on where the vectors of known items are others.

    Args:
        before: Of the items that the model knew, those of its log first.
        now: Of all items.
        num_items: Items of the log that it learned from.

    Raises:
        BadInput: If an item is another to it than it was.
    """
    asked = before.trigger[:num_items].any(1) & now.trigger[:num_items].any(1)
    parts = [
        (asked, before.trigger, now.trigger),
        (asked, before.target, now.target),
        (asked | ~now.trigger[:num_items].any(1), before.relevance, now.relevance),
    ]
    others = np.zeros(num_items, np.bool_)
    for rows, was, one in parts:
        others |= rows & (np.abs(was[:num_items] - one[:num_items]) > NEAR).any(1)
    if others.any():
        said = counted(int(others.sum()), "item")
        what = f"{said} would mean something else than what was learnt: texts or categories differ."
        raise BadInput(what, "the items table", _FIX)
