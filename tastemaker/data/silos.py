"""Silos: one log that lies in several places, whose items are those of one catalogue.

A user whom two silos know is one at each of them: silos do not tell each other who is whose.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemaker.counts import by_count, counted
from tastemaker.data.contexts import Contexts, Int64s, along
from tastemaker.data.datasets import load, opened
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import positives
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.queries import Queries
from tastemaker.data.reading import read_interactions
from tastemaker.data.tables import BATCH, Table
from tastemaker.errors import BadInput

_NAMED = 5
"""Items that a message names."""


@dataclass(frozen=True, eq=False)
class Silos:
    """A log of U users, and which of S silos holds each of them."""

    log: Interactions
    names: tuple[str, ...]
    """(S,)"""
    owners: Int64s
    """(U,) silo of each user; −1: none of them, as those of a panel"""

    @classmethod
    def of_users(cls, log: Interactions, labels: Sequence[str]) -> Silos:
        """Users by the name of their silo, in the order of user codes; silos by name.

        Raises:
            BadInput: If a user has no silo.
        """
        named = pl.Series("silo", labels, pl.String)
        missing = named.is_null() | (named.str.strip_chars() == "")
        if len(named) != log.num_users or missing.any():
            bare = log.num_users - len(named) + int(missing.sum())
            what = f"{counted(bare, 'user')} {by_count(bare, 'has', 'have')} no silo."
            raise BadInput(what, "silos", "Name one for each user of the log.")
        names = sorted(named.unique().to_list())
        code = named.replace_strict(names, list(range(len(names))), return_dtype=pl.Int64)
        return cls(log, tuple(names), code.to_numpy())

    @classmethod
    def of_logs(cls, logs: Mapping[str, Interactions], item_ids: pl.Series) -> Silos:
        """Several logs, a silo each, as one.

        Args:
            logs: Name → log, of one shape: with times or without, with the same kinds of event.
            item_ids: The shared catalogue, in the order of codes.

        Raises:
            BadData: If silos have items that it has not; names them.
        """
        problems: list[Problem] = []
        coded = []
        for name, log in logs.items():
            problems += unknown_items(log, item_ids, name)
            coded += [] if problems else [in_catalogue(log, item_ids, name)]
        if problems:
            raise BadData(problems)
        first = coded[0]
        columns: dict[str, Any] = {
            name: np.concatenate([vars(log)[name] for log in coded])
            for name, _ in along(first, "event")
        }
        lengths = np.concatenate([log.lengths for log in coded])
        users = pl.concat([log.user_ids for log in coded])
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        whole = replace(first, user_ids=users, offsets=offsets, **columns)
        sizes = [log.num_users for log in coded]
        return cls(whole, tuple(logs), np.repeat(np.arange(len(coded)), sizes))

    def __len__(self) -> int:
        """Number of silos S."""
        return len(self.names)

    def refuse_unknown(self, item_ids: pl.Series) -> None:
        """Refuse silos with items that a catalogue does not have.

        Raises:
            BadData: Naming these silos and items.
        """
        problems, log = [], self.log
        for silo, name in enumerate(self.names):
            held = np.unique(log.items[np.repeat(self.owners == silo, log.lengths)])
            problems += _unknown(log.item_ids.gather(held - 1), item_ids, name)
        if problems:
            raise BadData(problems)

    def rows(self, contexts: Contexts, silo: int) -> Int64s:
        """Rows of contexts whose users a silo holds; −1: those that none does."""
        return np.flatnonzero(self.owners[contexts.users] == silo)

    def contexts(self, contexts: Contexts) -> dict[str, Contexts]:
        """What each silo holds of some contexts of the log."""
        return {
            name: contexts.take(self.rows(contexts, silo)) for silo, name in enumerate(self.names)
        }

    def queries(self, queries: Queries) -> dict[str, Queries]:
        """What each silo is asked of some queries of the log."""
        return {
            name: queries.take(self.rows(queries.contexts, silo))
            for silo, name in enumerate(self.names)
        }

    def panel(self, users: int, seed: int = 0) -> Silos:
        """The same silos without some users, who agreed to be a panel of the server's.

        Args:
            users: How many, drawn alike from all silos.
            seed: Of the draw.

        Raises:
            BadInput: If a silo would have no user left.
        """
        held = np.flatnonzero(self.owners >= 0)
        owners = self.owners.copy()
        if users < len(held):
            drawn = np.random.default_rng([seed, 33]).permutation(held)[:users]
            owners[drawn] = -1
        left = np.bincount(owners[owners >= 0], minlength=len(self))
        if users >= len(held) or not left.all():
            what = f"A panel of {counted(users, 'user')} leaves a silo without any."
            raise BadInput(what, "panel", f"There are {counted(len(held), 'user')} in all.")
        return replace(self, owners=owners)


def by_column(data: str | Path | Any, column: str) -> Silos:
    """What is learnt of a log, each event in the silo that a column of it names.

    Args:
        data: As `load` takes it.
        column: Of texts or whole numbers.

    Raises:
        BadInput: If there is no such column, or with every problem of the data.
    """
    whole = load(data)  # every problem of the table, by the rows of its file
    log, _ = opened(data)
    parts = _parted(log.table, column)
    logs = {
        name: read_interactions(part, log.declared, ordered=log.ordered).interactions
        for name, part in parts.items()
    }
    learnt = {name: positives(one, whole.declared) for name, one in logs.items()}
    return Silos.of_logs(learnt, whole.interactions.item_ids)


def _parted(table: Table, column: str) -> dict[str, Table]:
    """The rows of a table by what a column says, silos by name."""
    kind = table.schema.get(column)
    if kind is None:
        what, fix = "the column is missing", f"Columns here: {', '.join(table.schema)}."
        raise BadData([Problem(table.file, column, None, "", 1, what, fix)])
    if not (kind.is_integer() or kind in (pl.String, pl.Boolean, pl.Categorical, pl.Enum)):
        what, fix = f"the column holds {kind}, no names", "Name silos by texts or whole numbers."
        raise BadData([Problem(table.file, column, None, "", 1, what, fix)])
    frames: dict[str, list[pl.DataFrame]] = {}
    missing = seen = first = 0
    for batch in table.batches():
        blank = table.blank_rows(batch)
        name = batch[column].cast(pl.String).str.strip_chars().replace("", None)
        bare = name.is_null() if blank is None else name.is_null() & ~blank
        if bare.any():
            first = first or seen + int(bare.arg_true()[0]) + 1
            missing += int(bare.sum())
        seen += len(batch)
        kept = batch.with_columns(name.alias("\0silo")).filter(name.is_not_null())
        for (silo,), frame in kept.partition_by("\0silo", as_dict=True, include_key=False).items():
            frames.setdefault(str(silo), []).append(frame)
    if missing:
        what, fix = "the silo is missing", "Fill it or drop the row."
        raise BadData([Problem(table.file, column, first, "", missing, what, fix)])
    return {name: _table(table, pl.concat(frames[name])) for name in sorted(frames)}


def _table(table: Table, frame: pl.DataFrame) -> Table:
    return replace(table, batches=lambda: frame.iter_slices(BATCH), text=False)


def unknown_items(log: Interactions, item_ids: pl.Series, where: str) -> list[Problem]:
    """What is wrong with a silo's items: those that the shared catalogue does not have."""
    return _unknown(log.item_ids, item_ids, where)


def _unknown(held: pl.Series, item_ids: pl.Series, where: str) -> list[Problem]:
    strange = held.filter(~held.is_in(item_ids.implode()))
    if not len(strange):
        return []
    named = ", ".join(shown(item) for item in strange.head(_NAMED))
    more = f" and {len(strange) - _NAMED:,} more" if len(strange) > _NAMED else ""
    what = f"items that the shared catalogue does not have: {named}{more}"
    fix = "Give all silos one catalogue, or leave these items out."
    return [Problem(where, "item_id", None, "", len(strange), what, fix)]


def in_catalogue(log: Interactions, item_ids: pl.Series, where: str = "the silo") -> Interactions:
    """The same log with the items of the shared catalogue, by its codes.

    Raises:
        BadData: If it has an item that the catalogue has not; names those.
    """
    problems = unknown_items(log, item_ids, where)
    if problems:
        raise BadData(problems)
    code = pl.DataFrame({"item_id": item_ids}).with_row_index("code", offset=1)
    own = log.item_ids.rename("item_id").to_frame()
    codes = own.join(code, on="item_id", how="left", maintain_order="left")["code"]
    return replace(log, item_ids=item_ids, items=codes.to_numpy().astype(np.int32)[log.items - 1])
