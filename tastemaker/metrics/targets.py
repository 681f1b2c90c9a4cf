"""Targets: what must be true of them before anything is ranked (protocol §3.3, §7)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tastemaker.counts import counted
from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split, refuse_empty
from tastemaker.errors import BadInput

_CELLS = 2**22
"""Cells of the table that finds repeats: 4 MB."""


def _keys(rows: npt.NDArray[np.int64], items: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    return rows.astype(np.int64) << 32 | items.astype(np.int64)


def count_targets(queries: Queries) -> npt.NDArray[np.int64]:
    """(Q,) number of distinct targets of each query.

    Raises:
        BadInput: If a query has none, or there are no queries.
    """
    given = np.diff(queries.target_offsets)
    if not len(given) or not given.min():
        raise BadInput(
            f"{int((given == 0).sum()):,} of {counted(len(given), 'query')} have no target."
            if len(given)
            else "There is no query to evaluate.",
            "queries",
            "Evaluate users with at least one target; choose another split if there are none.",
        )
    owners = np.repeat(np.arange(len(given)), given)
    distinct = np.unique(_keys(owners, queries.target_items)) >> 32
    return np.bincount(distinct, minlength=len(given))


def repeated_targets(queries: Queries) -> npt.NDArray[np.bool_]:
    """Of each target, whether its own context holds it already."""
    contexts, bounds = queries.contexts, queries.target_offsets
    width = 1 + int(max(contexts.items.max(initial=0), queries.target_items.max(initial=0)))
    again = np.zeros(len(queries.target_items), bool)
    step = max(1, _CELLS // width)
    table = np.zeros(step * width, bool)
    for start in range(0, len(queries), step):
        stop = min(start + step, len(queries))
        some = contexts.slice(start, stop)
        held = np.repeat(np.arange(stop - start) * width, some.lengths) + some.items
        owners = np.repeat(np.arange(stop - start) * width, np.diff(bounds[start : stop + 1]))
        here = slice(bounds[start], bounds[stop])
        table[held] = True
        again[here] = table[owners + queries.target_items[here]]
        table[held] = False
    return again


def check_queries(cuts: Split, repeats: bool = False) -> None:
    """Refuse a split that cannot be validated and tested, before anything is trained on it.

    Args:
        cuts: The split to be trained and tested on.
        repeats: Items may be chosen again, so that a target may stand in its own context.

    Raises:
        BadInput: If it has no validation or no test query; or a target that repeats an item of
            its context, unless `repeats`.
    """
    for held_out in ("test", "valid"):
        refuse_empty(cuts, held_out)
        if repeats:
            continue
        queries = cuts.queries(held_out)
        again = repeated_targets(queries)
        if again.any():
            first = int(again.argmax())
            query = int(np.searchsorted(queries.target_offsets, first, side="right")) - 1
            log = cuts.interactions
            user = log.user_ids[int(queries.contexts.users[query])]
            (item,) = log.decode(queries.target_items[first : first + 1])
            raise _repeats(again, f"for example item {item!r} of user {user!r}")


def refuse_repeats(queries: Queries, repeats: npt.NDArray[np.bool_]) -> None:
    """Stop if a target repeats an item of its context, with the count.

    Raises:
        BadInput: If one does.
    """
    if repeats.any():
        fix = "Rank with EvalOptions(filter_seen=False): this log has repeats."
        raise _repeats(repeats, counted(len(queries), "query"), fix)


def _repeats(
    again: npt.NDArray[np.bool_],
    where: str,
    fix: str = "Add --repeats (in Python: repeats=True): users may choose an item again.",
) -> BadInput:
    return BadInput(
        f"{int(again.sum()):,} of {len(again):,} targets repeat an item of their context, so "
        "leaving out seen items would leave out the answer.",
        where,
        fix,
    )
