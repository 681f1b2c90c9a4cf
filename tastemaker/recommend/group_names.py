"""Names of groups that nobody named: what a group has and the rest has not, in words people say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl
import scipy.sparse as sp

from tastemaker.data.categories import fold
from tastemaker.data.ground import Ground
from tastemaker.data.groupings import OTHER
from tastemaker.models.words import MOST_WORDS

Int64s = npt.NDArray[np.int64]

BETWEEN = " · "
"""What stands between parts of a name."""
_LONGEST = 60
"""Characters of a title that are shown."""
_MORE = 2
"""Words that are added to a name which another group would have too."""
_YEAR = r"\s+\(\d{4}\)\s*$"
"""A year behind a title, which would make the films of one year alike."""


def titles_of(ground: Ground) -> list[str]:
    """(I,) what items are called: titles, else ids, else numbers."""
    known = ground.catalog.titles()
    return known or [f"item {code}" for code in range(1, ground.num_items + 1)]


def texts_of(ground: Ground) -> list[str]:
    """(I,) words of each item, without names of columns; empty where nothing is written."""
    title = pl.col("title").str.replace(_YEAR, "")
    parts = title, pl.col("categories").list.join(" "), pl.col("text")
    joined = pl.concat_str(parts, separator=" ", ignore_nulls=True).str.strip_chars()
    texts: list[str] = ground.catalog.frame.select(joined).to_series().to_list()
    return texts or [""] * ground.num_items


def distinct(names: Sequence[str]) -> tuple[str, ...]:
    """The names with a number behind each that is there already; none means `other`.

    Names that differ in case or blanks alone are the same.
    """
    taken, given = {fold(OTHER), ""}, []
    for name in names:
        shown, number = name, 1
        while fold(shown) in taken:
            number += 1
            shown = f"{name} ({number})".strip()
        taken.add(fold(shown))
        given.append(shown)
    return tuple(given)


def around(labels: Int64s, counts: Int64s, titles: Sequence[str]) -> tuple[str, ...]:
    """A name for each group of items: the one that is chosen most, of equals the first.

    Args:
        labels: (I,) group of each item, −1 for none.
        counts: (I,) training events.
        titles: (I,) what items are called.
    """
    order = np.lexsort((np.arange(len(labels)), -counts))
    known, first = np.unique(labels[order], return_index=True)
    best = order[first[known >= 0]].tolist()
    return distinct([f"around {_short(titles[item])}" for item in best])


def said(
    labels: Int64s, texts: Sequence[str], words: int = 3, otherwise: Sequence[str] = ()
) -> tuple[str, ...]:
    """A name for each group of texts: the words that most more of its texts have than others do.

    Args:
        labels: (I,) group of each text, −1 for none.
        texts: (I,)
        words: Words of a name, at most; two more where another group has the same.
        otherwise: What each group is called whose texts have no word; empty: a number.
    """
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, CountVectorizer

    rows = np.flatnonzero(labels >= 0)
    count = CountVectorizer(binary=True, max_features=MOST_WORDS, dtype=np.float32)
    try:
        held = sp.csr_array(count.fit_transform([texts[row] for row in rows.tolist()]))
    except ValueError:  # what is said of an empty vocabulary
        return distinct(otherwise or [""] * (int(labels.max(initial=-1)) + 1))
    known = count.get_feature_names_out().tolist()
    telling = [not word.isdigit() and word not in ENGLISH_STOP_WORDS for word in known]
    best = _beyond_others(labels[rows], held, np.array(telling), words + _MORE)
    every = _beyond_others(labels[rows], held, np.ones(len(known), np.bool_), words + _MORE)
    columns = [
        some if len(some) else all_of_it for some, all_of_it in zip(best, every, strict=True)
    ]
    alike = Counter(frozenset(few[:words].tolist()) for few in columns)
    kept = (few[: words + _MORE * (alike[frozenset(few[:words].tolist())] > 1)] for few in columns)
    names = [BETWEEN.join(_short(known[column]) for column in few) for few in kept]
    others = otherwise or [""] * len(names)
    return distinct([name or other for name, other in zip(names, others, strict=True)])


def holding(
    labels: Int64s, held: sp.csr_array, names: Sequence[str], parts: int = 2
) -> tuple[str, ...]:
    """A name for each group of users: what they hold more of than others do.

    Args:
        labels: (U,) group of each user, −1 for none.
        held: (U, G) shares of what users hold.
        names: (G,) what that is called; `other` is said where there is nothing else.
        parts: Parts of a name, at most.
    """
    rows = np.flatnonzero(labels >= 0)
    telling = np.array([name != OTHER for name in names])
    best = _beyond_others(labels[rows], held[rows], telling, parts)
    named = [BETWEEN.join(_short(names[column]) for column in few) for few in best]
    return distinct([f"users of {name or OTHER}" for name in named])


def _beyond_others(
    labels: Int64s, held: sp.csr_array, telling: npt.NDArray[np.bool_], most: int
) -> list[Int64s]:
    """The telling columns of which each group holds most more than the others do, on average.

    Where it holds more of none, those that it holds most of; none where it holds nothing.
    """
    held = sp.csr_array(held @ sp.diags_array(telling.astype(np.float64)))
    groups = int(labels.max(initial=-1)) + 1
    ones = np.ones(len(labels), np.float64), (labels, np.arange(len(labels)))
    sums = sp.csr_array(sp.csr_array(ones, (groups, len(labels))) @ held)
    sizes = np.bincount(labels, minlength=groups)
    total = np.asarray(held.sum(axis=0), np.float64)
    sums.eliminate_zeros()
    sums.sort_indices()
    best = []
    for group, (start, stop) in enumerate(zip(sums.indptr, sums.indptr[1:], strict=False)):
        columns, own = sums.indices[start:stop].astype(np.int64), sums.data[start:stop]
        mean = own / sizes[group]
        rest = (total[columns] - own) / max(len(labels) - sizes[group], 1)
        order = np.lexsort((columns, -mean, rest - mean))
        more = order[mean[order] > rest[order]]
        chosen = more if len(more) else np.lexsort((columns, -mean))
        best.append(columns[chosen[:most]])
    return best


def _short(title: str) -> str:
    """A title on one line."""
    line = " ".join(title.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1].rstrip()}…"
