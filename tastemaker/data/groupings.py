"""Grouping: items, users or events in named groups, the noun that ties the papers together.

The same object is the taxonomy of a profile, the prior of an adapter head, the class of a federated
client and the bins of the diversity metric. It takes memberships and never encodes anything.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from tastemaker.counts import counted
from tastemaker.data.catalog import Catalog
from tastemaker.data.categories import fold, unify
from tastemaker.data.grouping_files import Of, read_grouping, write_grouping
from tastemaker.data.problems import shown
from tastemaker.errors import BadInput

OTHER = "other"
"""Group of the members that belong to no named one, so that every member has a group."""
_NAMED = 20
"""Groups that a message names."""


@dataclass(frozen=True, eq=False)
class Grouping:
    """M members in G named groups; a member may belong to several.

    Members are the items of a log, its users, or its kinds of event: an event belongs where its
    kind does.
    """

    names: tuple[str, ...]
    """(G,) names of the groups."""
    membership: sp.csr_array
    """(M, G) 0/1; row j is item code j + 1, user code j, or the log's event name j."""
    of: Of = "items"
    """what the members are."""

    @classmethod
    def from_categories(cls, catalog: Catalog, item_ids: pl.Series) -> Grouping:
        """Group items by the catalogue's categories; items without one go to `other`.

        Args:
            catalog: Any catalogue; items it does not know go to `other`.
            item_ids: (I,) ids in code order.

        Raises:
            BadInput: If the catalogue gives no item a category.
        """
        lists = unify(catalog.align(item_ids).frame["categories"])
        if not lists.list.len().sum():
            raise BadInput(
                "The catalogue gives no item a category.",
                "items file, column categories",
                'Add a column of lists, or of text such as "Drama|War".',
            )
        return _grouped(lists, "items")

    @classmethod
    def from_labels(cls, labels: Sequence[str | None] | pl.Series, of: Of = "users") -> Grouping:
        """Group members by a name each, or by a list of names; those without go to `other`.

        Spellings of a name that differ in case or blanks are one group.

        Args:
            labels: (M,) texts, or lists of texts, in the order of codes.
            of: What the members are.

        Raises:
            BadInput: If no member has a label, or labels are no texts.
        """
        column = pl.Series("labels", labels)
        texts = column if column.dtype == pl.List(pl.String) else _alone(column)
        lists = unify(texts)
        if not lists.list.len().sum():
            what = f"None of {counted(len(column), of[:-1])} has a label."
            raise BadInput(what, "labels", "Give a text to at least one; None stands for no label.")
        return _grouped(lists, of)

    @classmethod
    def from_event_names(cls, event_names: Sequence[str]) -> Grouping:
        """Group events by their kind: each kind of the log is a group."""
        ones = sp.csr_array(sp.eye_array(len(event_names), dtype=np.float32))
        return cls(tuple(event_names), ones, "events")

    @property
    def num_groups(self) -> int:
        """Number of groups G."""
        return len(self.names)

    @property
    def num_members(self) -> int:
        """Number of members M."""
        return int(self.membership.shape[0])

    def code(self, name: str, where: str = "group") -> int:
        """Column of the group called `name`, in any case and with blanks around it.

        Args:
            name: As somebody wrote it.
            where: Option or field that it was written in, for messages.

        Raises:
            BadInput: If there is no such group; names the nearest.
        """
        folded = [fold(known) for known in self.names]
        if fold(name) in folded:
            return folded.index(fold(name))
        near = difflib.get_close_matches(fold(name), folded, n=1)
        meant = f"Did you mean {self.names[folded.index(near[0])]!r}? " if near else ""
        some = ", ".join(self.names[:_NAMED])
        more = f" and {len(self.names) - _NAMED:,} more" if len(self.names) > _NAMED else ""
        fix = f"{meant}Groups here: {some}{more}."
        raise BadInput(f"There is no group {shown(name)}.", where, fix)

    def members(self, group: int) -> npt.NDArray[np.bool_]:
        """(M,) true for members of group `group`."""
        column: npt.NDArray[np.float32] = self.membership[:, [group]].toarray()[:, 0]
        return column > 0

    def shares(self, counts: npt.NDArray[np.int64] | None = None) -> npt.NDArray[np.float64]:
        """(G,) share of each group in all memberships; they sum to 1.

        Args:
            counts: (M,) how often each member counts, such as the training events of an item;
                default: once.
        """
        times = np.ones(self.num_members) if counts is None else counts.astype(np.float64)
        held: npt.NDArray[np.float64] = self.membership.T.astype(np.float64) @ times
        shares: npt.NDArray[np.float64] = held / max(held.sum(), 1e-300)
        return shares

    def save(self, path: Path) -> None:
        """Write one Arrow file: a row a member, the codes of its groups in rising order.

        Raises:
            OutOfResources: If the disk is full or may not be written.
        """
        write_grouping(path, self.names, self.membership, self.of)

    @classmethod
    def open(cls, path: Path, of: Of, num_members: int | None) -> Grouping:
        """Read what `save` wrote.

        Args:
            path: The file.
            of: What its members must be.
            num_members: How many there must be; None: as many as there are.

        Raises:
            ArtefactError: If it is missing or damaged, or groups something else.
        """
        names, membership = read_grouping(path, of, num_members)
        return cls(names, membership, of)


def _alone(labels: pl.Series) -> pl.Series:
    """Lists of at most one name."""
    if labels.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        what = f"Labels are {labels.dtype}, not texts."
        raise BadInput(what, "labels", "Give a text a member, or a list of texts.")
    frame = pl.DataFrame({"label": labels.cast(pl.String)})
    return frame.select(pl.concat_list("label")).to_series()


def _grouped(lists: pl.Series, of: Of) -> Grouping:
    """The grouping of (M,) lists with one spelling a name; groups in order of name, `other` last.

    A name that is a spelling of `other` means it.
    """
    pairs = pl.DataFrame({"name": lists}).with_row_index("member").explode("name")
    pairs = pairs.drop_nulls().unique(maintain_order=True)
    rest = {name: OTHER for name in pairs["name"].unique() if fold(name) == OTHER}
    pairs = pairs.with_columns(pl.col("name").replace(rest))
    names = sorted(set(pairs["name"]) - {OTHER})
    code = {name: group for group, name in enumerate(names)}
    groups = pairs["name"].replace_strict(code | {OTHER: len(names)}, return_dtype=pl.Int64)
    rows, columns = pairs["member"].to_numpy().astype(np.int64), groups.to_numpy()
    bare = np.setdiff1d(np.arange(len(lists)), rows)
    if len(bare) or OTHER in set(pairs["name"]):
        names.append(OTHER)
        rows = np.concatenate([rows, bare])
        columns = np.concatenate([columns, np.full(len(bare), len(names) - 1)])
    ones = np.ones(len(rows), np.float32)
    membership = sp.csr_array((ones, (rows, columns)), (len(lists), len(names)))
    return Grouping(tuple(names), membership, of)
