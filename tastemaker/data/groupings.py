"""Grouping: items in named groups, the noun that ties the papers together.

The same object is the taxonomy of a profile, the prior of an adapter head, the class of a federated
client and the bins of the diversity metric. It takes memberships and never encodes anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from tastemaker.data.catalog import Catalog
from tastemaker.data.categories import fold, unify
from tastemaker.errors import BadInput

OTHER = "other"
"""Group of the items that belong to no named one, so that every item has a group."""


@dataclass(frozen=True)
class Grouping:
    """I items in G named groups; an item may belong to several."""

    names: tuple[str, ...]
    """(G,) names of the groups."""
    membership: sp.csr_array
    """(I, G) 0/1; row j is item code j + 1."""

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
        pairs = pl.DataFrame({"category": lists}).with_row_index("item").explode("category")
        pairs = pairs.drop_nulls().unique(maintain_order=True)
        rest = {name: OTHER for name in pairs["category"].unique() if fold(name) == OTHER}
        pairs = pairs.with_columns(pl.col("category").replace(rest))
        if not len(pairs):
            raise BadInput(
                "The catalogue gives no item a category.",
                "items file, column categories",
                'Add a column of lists, or of text such as "Drama|War".',
            )
        names = sorted(set(pairs["category"]) - {OTHER})
        code = {name: at for at, name in enumerate(names)}
        groups = pairs["category"].replace_strict(code | {OTHER: len(names)}, return_dtype=pl.Int64)
        rows, columns = pairs["item"].to_numpy().astype(np.int64), groups.to_numpy()
        bare = np.setdiff1d(np.arange(len(item_ids)), rows)
        if len(bare) or OTHER in set(pairs["category"]):
            names.append(OTHER)
            rows = np.concatenate([rows, bare])
            columns = np.concatenate([columns, np.full(len(bare), len(names) - 1)])
        ones = np.ones(len(rows), np.float32)
        return cls(tuple(names), sp.csr_array((ones, (rows, columns)), (len(item_ids), len(names))))

    @property
    def num_groups(self) -> int:
        """Number of groups G."""
        return len(self.names)

    def code(self, name: str) -> int:
        """Column of the group called `name`, in any case and with blanks around it.

        Raises:
            BadInput: If there is no such group.
        """
        folded = [fold(known) for known in self.names]
        if fold(name) not in folded:
            known = ", ".join(self.names)
            raise BadInput(f"There is no group {name!r}.", "group", f"Groups here: {known}.")
        return folded.index(fold(name))

    def members(self, group: int) -> npt.NDArray[np.bool_]:
        """(I,) true for items of group `group`."""
        column: npt.NDArray[np.float32] = self.membership[:, [group]].toarray()[:, 0]
        return column > 0
