"""Histories as lists of rows, and the contexts that hold them."""

import numpy as np
from hypothesis import strategies as st

from tastemaker.data.contexts import Contexts

histories = st.lists(st.lists(st.integers(1, 50), max_size=40), min_size=1, max_size=15)


def contexts_of(rows: list[list[int]]) -> Contexts:
    offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
    items = np.array([item for row in rows for item in row], np.int32)
    return Contexts(np.arange(len(rows)), offsets, items, np.arange(len(items)) * 10)


def rows_of(contexts: Contexts) -> list[list[int]]:
    bounds = contexts.offsets
    return [contexts.items[a:b].tolist() for a, b in zip(bounds, bounds[1:], strict=False)]
