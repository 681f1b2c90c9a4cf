"""Groups of a log that has grown: those that a model learned, and where what is new belongs.

What learned knows its groups by number, so each keeps its own. Groups that people name are found
again by name; of groups that were found, what is new joins the one that it is most like.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from tastemaker.data.categories import fold
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.recommend.item_facts import ItemFacts, nearest

Int64s = npt.NDArray[np.int64]


def by_name(known: Grouping, now: Grouping, more: bool = True) -> Grouping:
    """Today's members in the groups of before.

    Args:
        known: The groups of before.
        now: Today's.
        more: Whether groups that are new stand behind the others; else nobody is in them.
    """
    number = {fold(name): group for group, name in enumerate(known.names)}
    fresh = [name for name in now.names if fold(name) not in number] if more else []
    number |= {fold(name): known.num_groups + place for place, name in enumerate(fresh)}
    table = sp.coo_array(now.membership)
    places = np.array([number.get(fold(name), -1) for name in now.names], np.int64)
    groups = places[table.coords[1]]
    kept = groups >= 0
    pairs = table.coords[0][kept], groups[kept]
    return _of((*known.names, *fresh), pairs, now.num_members, now)


def by_likeness(known: Grouping, facts: ItemFacts, texts_first: bool, other: bool) -> Grouping:
    """Items as they were grouped, and each new one with those that it is most like.

    Args:
        known: The groups of before, of the first of today's items.
        facts: Of all items of today.
        texts_first: Whether texts say what is alike where they can, and else what was chosen with
            what; or the other way round.
        other: Whether items about which nothing is known are in `other`, which may be new; else
            they are in no group.
    """
    table = sp.coo_array(known.membership)
    labels = np.full(facts.num_items, -1, np.int64)
    labels[table.coords[0]] = table.coords[1]
    rest = known.names.index(OTHER) if OTHER in known.names else -1
    if rest >= 0:  # nothing is like what is in no group
        labels[labels == rest] = -1
    for texts in (texts_first, not texts_first):
        labels = nearest(labels, facts.texts if texts else facts.collaborative)
    labels = labels[known.num_members :]
    names = known.names
    if other and rest < 0 and (labels < 0).any():
        names, rest = (*names, OTHER), len(names)
    labels = np.where(labels < 0, rest if other else -1, labels)
    rows = np.flatnonzero(labels >= 0)
    joined = (
        np.concatenate([table.coords[0], known.num_members + rows]),
        np.concatenate([table.coords[1], labels[rows]]),
    )
    return _of(names, joined, facts.num_items, known)


def _of(
    names: tuple[str, ...], pairs: tuple[Int64s, Int64s], members: int, like: Grouping
) -> Grouping:
    """Members in groups; each pair once."""
    shape = members, len(names)
    table = sp.csr_array((np.ones(len(pairs[0]), np.float32), pairs), shape)
    table.sum_duplicates()
    table.data[:] = 1
    return Grouping(names, table, like.of)
