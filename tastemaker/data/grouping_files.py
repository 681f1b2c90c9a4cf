"""A grouping as a file: the names of its groups, and of every member the codes of its groups.

What is read is checked in full before anything is computed from it: compiled code trusts the
bounds and columns of a sparse matrix.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import scipy.sparse as sp

from tastemaker.data.arrow import open_arrow, write_arrow
from tastemaker.data.soundness import refuse

Of = Literal["items", "users", "events"]
"""What the members of a grouping are."""

_LISTS = pa.large_list(pa.int32())


def write_grouping(path: Path, names: Sequence[str], membership: sp.csr_array, of: Of) -> None:
    """Write one Arrow file: a row a member, the codes of its groups in rising order.

    Args:
        path: The file.
        names: (G,) names of the groups.
        membership: (M, G) 0/1.
        of: What the members are.

    Raises:
        OutOfResources: If the disk is full or may not be written.
    """
    whole = membership.tocsr(copy=True)
    whole.sum_duplicates()
    whole.eliminate_zeros()
    bounds = pa.array(whole.indptr.astype(np.int64))
    lists = pa.LargeListArray.from_arrays(bounds, pa.array(whole.indices.astype(np.int32)))
    table = pa.table({"groups": lists})
    meta = {"of": of, "names": json.dumps(list(names))}
    write_arrow(path, table.replace_schema_metadata(meta))


def read_grouping(
    path: Path, of: Of, num_members: int | None
) -> tuple[tuple[str, ...], sp.csr_array]:
    """Names and memberships that `write_grouping` wrote.

    Args:
        path: The file.
        of: What its members must be.
        num_members: How many there must be; None: as many as there are.

    Returns:
        (G,) names and (M, G) float32 memberships.

    Raises:
        ArtefactError: If it is missing or damaged, or groups something else.
    """
    table = open_arrow(path)
    names = _names(path, table, of)
    lists = _lists(path, table, num_members)
    bounds, codes = lists.offsets.to_numpy(), lists.values.to_numpy()
    codes = codes[bounds[0] : bounds[-1]]
    bounds = bounds - bounds[0]
    if len(codes) and not (codes.min() >= 0 and codes.max() < len(names)):
        holds = f"{codes.min():,} to {codes.max():,}"
        refuse(path, "Codes of groups are out of range", f"0 to {len(names) - 1:,}", holds)
    falls = 1 + np.flatnonzero(np.diff(codes) <= 0)
    inside = np.setdiff1d(falls, bounds)
    if len(inside):
        member = int(np.searchsorted(bounds, inside[0], side="right")) - 1
        want = "rising codes, each once"
        refuse(path, "Groups are not in order", want, f"others at member {member:,}")
    ones = np.ones(len(codes), np.float32)
    return names, sp.csr_array((ones, codes, bounds), (len(bounds) - 1, len(names)))


def _names(path: Path, table: pa.Table, of: Of) -> tuple[str, ...]:
    """The names of the groups, each one once."""
    meta = table.schema.metadata or {}
    held = meta.get(b"of", b"").decode(errors="replace")
    if held != of:
        known = held if held in get_args(Of) else repr(held)
        refuse(path, "The file groups something else", of, known)
    try:
        names = json.loads(meta.get(b"names", b""))
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        refuse(path, "Names of groups are damaged", "a list of texts", repr(names)[:80])
    if len(set(names)) != len(names):
        refuse(path, "A name stands for two groups", "every name once", repr(names)[:80])
    return tuple(names)


def _lists(path: Path, table: pa.Table, num_members: int | None) -> pa.LargeListArray:
    """The lists of codes, their bounds within the file; a row a member."""
    if table.column_names != ["groups"] or table.schema.field("groups").type != _LISTS:
        refuse(path, "Columns are others", "groups, lists of int32", str(table.schema)[:80])
    if num_members is not None and table.num_rows != num_members:
        refuse(path, "Another number of members", f"{num_members:,}", f"{table.num_rows:,}")
    try:
        table.validate(full=True)
    except pa.ArrowException as error:
        refuse(path, "Lists are damaged", "bounds within the file", str(error))
    lists = table.column("groups").combine_chunks()
    if lists.null_count or lists.values.null_count:
        refuse(path, "A list is missing", "a list of groups a member", "nothing")
    return lists
