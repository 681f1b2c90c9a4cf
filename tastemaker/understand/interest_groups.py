"""Interests as groups: users by what they verifiably like, items by the interests that they prove.

A `Grouping` of either is saved, opened and used as every other: as the prior of heads, as the label
of a verifier, as the bins of a metric. Interests come from profiles, from whatever a language model
wrote and the benchmark verified, or, for all users of a log at once, from counted events.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

import numpy as np
import polars as pl
import scipy.sparse as sp

from tastemaker.counts import counted
from tastemaker.data.contexts import Contexts, Int8s, Int64s, ranges
from tastemaker.data.declaration import POLARITIES
from tastemaker.data.grouping_files import Of
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.data.polarity import CODES
from tastemaker.data.signals import columns_of
from tastemaker.errors import BadInput
from tastemaker.understand.everybody import YES, strengths
from tastemaker.understand.groundedness import Thresholds, verified
from tastemaker.understand.profile import EVIDENCE, OWN, Profile

_NAMED = 5
"""Unknown ids that a message names."""


def user_groups(interests: Mapping[str, Collection[str]], user_ids: pl.Series) -> Grouping:
    """Users by their verified interests; a user may have several, and one without is in `other`.

    Args:
        interests: User id → names of interests, or of their categories.
        user_ids: (U,) ids of a log in the order of their codes.

    Raises:
        BadInput: If no user has an interest, or one is not in the log.
    """
    return _grouping(interests, user_ids, "users")


def item_groups(proofs: Mapping[str, Collection[str]], item_ids: pl.Series) -> Grouping:
    """Items by the interests that they prove; an item may prove several, or none: `other`.

    Args:
        proofs: Name of an interest, or of its category → ids of the items that prove it.
        item_ids: (I,) ids of a log in the order of their codes.

    Raises:
        BadInput: If nothing is proved, or an item is not in the log.
    """
    found: dict[str, list[str]] = {}
    for name, items in proofs.items():
        for item in items:
            found.setdefault(item, []).append(name)
    return _grouping(found, item_ids, "items")


def verified_of(profiles: Iterable[Profile]) -> tuple[dict[str, list[str]], dict[str, set[str]]]:
    """User id → names of verified interests, and name → items that prove it to somebody."""
    users: dict[str, list[str]] = {}
    items: dict[str, set[str]] = {}
    for known in profiles:
        interests = [one for one in known.interests if one.verdict == "verified"]
        users[known.user] = [one.name for one in interests]
        for one in interests:
            items.setdefault(one.name, set()).update(proof.item for proof in one.items)
    return users, items


def counted_groups(
    train: Contexts,
    codes: Int8s,
    items: Grouping,
    own: bool = True,
    thresholds: Thresholds | None = None,
) -> Grouping:
    """Users by the interests that their events verify, as `profile` counts them, all at once.

    Args:
        train: Events, one row a user, oldest first.
        codes: Flat code of `polarity.CODES` of each event.
        items: Groups of the items.
        own: Only interests that tell a user from others (`CountedInterest.own`).
        thresholds: Default: those of the paper.

    Raises:
        BadInput: If no user has such an interest.
    """
    kinds = tuple(kind for kind in POLARITIES if (codes == CODES[kind]).any())
    pairs, newest, seen = _pairs(train, codes, items.num_members)
    users, met = np.divmod(pairs, np.int64(items.num_members + 1))
    table = items.membership
    starts, ends = (table.indptr[at].astype(np.int64) for at in (met - 1, met))
    place = np.repeat(np.arange(len(pairs)), ends - starts)
    keys = users[place] * items.num_groups + table.indices[ranges(starts, ends)]
    order = np.lexsort((-newest[place], keys))
    keys, place = keys[order], place[order]
    each, first, many = np.unique(keys, return_index=True, return_counts=True)
    rank = np.arange(len(keys)) - np.repeat(first, many)
    counts = _summed(seen[place] * (rank < EVIDENCE)[:, None], first)
    owner, group = np.divmod(each, np.int64(items.num_groups))
    chosen = np.asarray(seen[:, :YES].any(1), np.bool_)
    keep = verified(counts, kinds, thresholds) & (np.array(items.names)[group] != OTHER)
    if own:
        inside = _summed(chosen[place][:, None].astype(np.int8), first)[:, 0]
        total = np.bincount(users[chosen], minlength=len(train))[owner]
        everybody = np.bincount(group, inside, items.num_groups)[group]
        sums = (inside, total, everybody - inside, chosen.sum() - total)
        keep &= strengths(*(one.astype(np.float64) for one in sums)) >= OWN
    if not keep.any():
        what = f"None of {counted(len(train), 'user')} has an interest that is verified"
        what += " and their own." if own else "."
        fix = "Give longer histories, or declare more events, or choose other groups."
        raise BadInput(what, "interests", fix)
    return _members(owner[keep], group[keep], len(train), items.names)


def _pairs(train: Contexts, codes: Int8s, num_items: int) -> tuple[Int64s, Int64s, Int8s]:
    """Pairs of user and item, where each was last seen, and (P, 4) whether with each polarity."""
    owners = np.repeat(np.arange(len(train), dtype=np.int64), train.lengths)
    flat = owners * np.int64(num_items + 1) + train.items
    pairs, back, rows = np.unique(flat[::-1], return_index=True, return_inverse=True)
    seen = np.zeros((len(pairs), len(POLARITIES)), np.int8)
    seen[rows.reshape(-1), columns_of(codes[::-1])] = 1
    return pairs, len(flat) - 1 - back, seen


def _summed(values: Int8s, first: Int64s) -> Int64s:
    """Sums of rows from each of `first` to the next."""
    if not len(first):
        return np.zeros((0, values.shape[1]), np.int64)
    sums: Int64s = np.add.reduceat(values, first, dtype=np.int64)
    return sums


def _members(users: Int64s, groups: Int64s, many: int, names: Sequence[str]) -> Grouping:
    """The grouping of pairs of user and group; without the groups that nobody is in."""
    held, columns = np.unique(groups, return_inverse=True)
    bare = np.setdiff1d(np.arange(many), users)
    rows = np.concatenate([users, bare])
    columns = np.concatenate([columns, np.full(len(bare), len(held))])
    known = tuple(names[group] for group in held)
    known = (*known, OTHER) if len(bare) else known
    ones = np.ones(len(rows), np.float32)
    return Grouping(known, sp.csr_array((ones, (rows, columns)), (many, len(known))), "users")


def _grouping(names: Mapping[str, Collection[str]], ids: pl.Series, of: Of) -> Grouping:
    known = ids.to_list()
    unknown = sorted(names.keys() - set(known))
    if unknown:
        some = ", ".join(map(repr, unknown[:_NAMED]))
        what = f"{counted(len(unknown), of[:-1])} with interests are not in this log: {some}."
        raise BadInput(what, "interests", "Use ids as they are written in the interactions file.")
    lists = [list(names.get(one, ())) for one in known]
    return Grouping.from_labels(pl.Series("labels", lists, dtype=pl.List(pl.String)), of)
