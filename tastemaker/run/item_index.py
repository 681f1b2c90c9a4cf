"""The index of a run's items: what finds candidates where they are too many to look at one and all.

It holds both heads side by side, so that one index serves every position of the dial. What is said
of the candidates stays exact.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.index.choice import IndexOptions, chosen
from tastemaker.index.vectors import VectorIndex, make_index
from tastemaker.recommend.item_search import ItemSearch
from tastemaker.recommend.neighbour_rows import KEPT
from tastemaker.train.journal import LOG

_ASKED = 150
"""Items that ask, at three dials each, where recall is measured."""


def index_of(
    search: ItemSearch, dial: float, options: IndexOptions | None = None
) -> VectorIndex | None:
    """An index of the items; None where they are few, or the extra `index` is not installed.

    Its recall is measured by what items ask at both ends of the dial and where it usually stands.

    Args:
        search: The items.
        dial: The usual weight on relevance.
        options: Of the index; None: its usual ones, for lists as long as a table keeps.
    """
    options = options or IndexOptions(at=KEPT)
    if chosen(len(search), search.heads.width, options) == "exact":
        return None
    both = np.flatnonzero(search.voices.asks & search.voices.means)
    asked = np.random.default_rng(0).choice(both, min(len(both), _ASKED), replace=False)
    queries = [search.heads.queries(asked, weight) for weight in (0.0, dial, 1.0)]
    wanted = np.concatenate(queries) if len(asked) else None
    try:
        return make_index(search.heads.stored(), queries=wanted, options=options)
    except BadInput as error:  # the extra is not installed
        LOG.warning("Every item is looked at for each answer. %s", error)
        return None


def keep_index(index: VectorIndex, folder: Path) -> None:
    """Write an index in place of any that stands there."""
    shutil.rmtree(folder, ignore_errors=True)
    index.save(folder)


def opened_index(folder: Path, search: ItemSearch) -> VectorIndex | None:
    """The index that stands in a folder; None where there is none, or nothing here can search it.

    Raises:
        ArtefactError: If it is damaged, or of other items.
    """
    if not folder.exists():
        return None
    try:
        index = VectorIndex.open(folder)
    except BadInput:  # the extra is not installed: every item is looked at
        return None
    want, got = (len(search), search.heads.width), (len(index), index.dim)
    if want != got:
        what, fix = "The index is of other items", "Restore the run from a copy."
        raise ArtefactError(str(folder), what, str(want), str(got), fix)
    return index
