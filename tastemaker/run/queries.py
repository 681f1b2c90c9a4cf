"""Who is asked in a run, how answers are ranked, and what is refused before training."""

from __future__ import annotations

import numpy as np

from tastemaker.data.batches import ranges
from tastemaker.data.splits import Part, Queries, Split
from tastemaker.errors import BadInput
from tastemaker.metrics.evaluate import EvalOptions
from tastemaker.metrics.targets import repeated_targets

HEADLINE = "ndcg@10"
"""Metric that models are chosen by."""

VALIDATION_USERS = 10_000

WORDS: dict[Part, str] = {"valid": "validation", "test": "test"}


def options_of(
    cuts: Split, filter_seen: bool, ks: tuple[int, ...] = (1, 5, 10, 20, 50)
) -> EvalOptions:
    """How a run ranks: candidates are the items with training events."""
    return EvalOptions(ks, filter_seen, cuts.trained_items)


def validation_queries(cuts: Split) -> Queries:
    """The validation queries of at most 10,000 fixed users."""
    queries = cuts.queries("valid")
    if len(queries) <= VALIDATION_USERS:
        return queries
    rows = np.random.default_rng(0).choice(len(queries), VALIDATION_USERS, replace=False)
    return queries.take(np.sort(rows))


def check_queries(cuts: Split, repeats: bool) -> None:
    """Refuse what the split shows already, before anything is trained or written.

    Args:
        cuts: The split.
        repeats: Whether a user may choose an item again.

    Raises:
        BadInput: If validation or test has nobody to ask, or, without `repeats`, a target that
            its user had chosen before.
    """
    for part in WORDS:
        queries = cuts.queries(part)
        if not len(queries):
            raise _nobody(cuts, part)
        if not repeats:
            _refuse_repeats(cuts, part, queries)


def _nobody(cuts: Split, part: Part) -> BadInput:
    """Why no user can be asked for an event of `part`."""
    log, word = cuts.interactions, WORDS[part]
    begin = cuts.train_end if part == "valid" else cuts.valid_end
    end = cuts.valid_end if part == "valid" else log.offsets[1:]
    targets = ranges(begin, end)
    has_past = np.repeat(cuts.train_end > log.offsets[:-1], end - begin)
    trained = cuts.trained_items[log.items[targets] - 1]
    if not len(targets):
        times = 0 if log.times is None else len(np.unique(log.times))
        what = f"No event falls into the {word} part of {cuts.name}, so no user can be asked."
        where = f"{log.num_events:,} events at {times:,} different times"
    else:
        what = f"None of the {len(targets):,} {word} events of {cuts.name} can be asked for."
        where = (
            f"{int((~has_past).sum()):,} are of users without a training event, "
            f"{int((has_past & ~trained).sum()):,} of items without one"
        )
    return BadInput(what, f"--split {cuts.name}: {where}", "Use --split leave-one-out.")


def _refuse_repeats(cuts: Split, part: Part, queries: Queries) -> None:
    again = repeated_targets(queries)
    if not again.any():
        return
    first = int(again.argmax())
    query = int(np.searchsorted(queries.target_offsets, first, side="right")) - 1
    user = cuts.interactions.user_ids[int(queries.contexts.users[query])]
    item = cuts.interactions.item_ids[int(queries.target_items[first]) - 1]
    raise BadInput(
        f"{int(again.sum()):,} of {len(again):,} {WORDS[part]} targets are items that their user "
        "had chosen before, so leaving out seen items would leave out the answer.",
        f"for example user {user!r}, item {item!r}",
        "Add --repeats: users may choose an item again.",
    )
