"""Heads of human priors for a log that has grown: new items, new kinds of event, new groups.

Groups keep their numbers, and heads what they learned. A group that is new has heads that are the
backbone, as all heads once were, and which do not speak before they have learnt something.
"""

from __future__ import annotations

import torch

from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.errors import BadInput
from tastemaker.nn.heads import into_corner
from tastemaker.recommend.grown_groups import by_likeness, by_name
from tastemaker.recommend.item_facts import ItemFacts
from tastemaker.recommend.prior_groups import grouping_of
from tastemaker.recommend.prior_heads import PriorHeads


def grown_groups(heads: PriorHeads, ground: Ground) -> dict[str, Grouping]:
    """What each prior is called → its groups, those of before first.

    Raises:
        BadInput: If groups of users were found, which those of another log are not in; or if the
            ground no longer says what groups are of.
    """
    facts, groups = ItemFacts(ground, ground.train), {}
    for axis in heads.axes.listed:
        if axis.name == "user":
            what = "Groups of users were found among those of another log."
            raise BadInput(what, "--model.priors user", "Train afresh.")
        if axis.name in ("community", "cluster"):
            texts = axis.name == "cluster"
            groups[axis.name] = by_likeness(axis.grouping, facts, texts, other=True)
        else:
            now = grouping_of(axis.name, heads.config, ground)  # type: ignore[arg-type]
            groups[axis.name] = by_name(axis.grouping, now)
    return groups


def grown_heads(heads: PriorHeads, num_items: int, groupings: dict[str, Grouping]) -> PriorHeads:
    """The heads with what they learned, and fresh ones for groups behind theirs."""
    dim = heads.blocks.dim
    grown = PriorHeads(heads.config, dim, num_items, groupings)
    grown.blocks.take(heads.blocks)
    mine, learned = (one.gates.state_dict() for one in (grown, heads))
    for name, values in learned.items():
        mine[name][:, : values.shape[1]] = values
    cells = [lesson.cells(grown.axes) for lesson in grown.lessons]
    before = [lesson.cells(heads.axes) for lesson in heads.lessons]
    parts = zip(
        grown.lessons,
        torch.split(grown.learned, cells),
        torch.split(heads.trained.cpu(), before),
        strict=True,
    )
    for lesson, now, was in parts:
        into_corner(now, was, lesson.sizes(heads.axes), lesson.sizes(grown.axes))
    grown.trained.copy_(grown.learned)
    return grown
