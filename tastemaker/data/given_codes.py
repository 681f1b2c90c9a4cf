"""Codes of items that somebody else made: a JSON object, item id → list of codes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.semantic_ids import SemanticIds
from tastemaker.errors import BadInput


def given_codes(path: Path, item_ids: pl.Series) -> SemanticIds:
    """Read a file such as `{"B001": ["<a_60>", "<b_159>", "<c_203>"], …}`.

    Args:
        path: The file; what it says of other items is not read.
        item_ids: (I,) ids in code order.

    Returns:
        The codes; those of a level are told apart by how they are written.

    Raises:
        BadInput: If the file cannot be read, or is no JSON object.
        BadData: If an item has no codes, or not as many as the first; with every problem.
    """
    try:
        table = json.loads(path.read_bytes())
    except OSError as error:
        what = f"The file cannot be read: {error.strerror}."
        raise BadInput(what, str(path), "Give a JSON file of codes.") from None
    except (ValueError, RecursionError) as error:
        what, fix = f"The file is not JSON: {error}.", 'Write {"item id": ["a", "b"], …}.'
        raise BadInput(what, str(path), fix) from None
    if not isinstance(table, dict):
        what = f"The file holds a {type(table).__name__}, not an object."
        raise BadInput(what, str(path), 'Write {"item id": ["a", "b"], …}.')
    if problems := list(_problems(path, table, item_ids)):
        raise BadData(problems)
    lists = [table[item] for item in item_ids]
    levels = [_numbered([str(codes[level]) for codes in lists]) for level in range(len(lists[0]))]
    return SemanticIds.of(np.stack(levels, axis=1))


def _numbered(written: list[str]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """(I,) number of each code in the order of their texts, shorter ones first: 9 before 10."""
    known = {text: n for n, text in enumerate(sorted(set(written), key=lambda t: (len(t), t)))}
    return np.array([known[text] for text in written], np.int64)


def _problems(path: Path, table: Mapping[str, Any], item_ids: pl.Series) -> Iterator[Problem]:
    """Every kind of fault, with the first item that has it."""
    fix = "Give every item a list of as many texts or whole numbers."
    missing = [item for item in item_ids if item not in table]
    if missing:
        what = "items have no codes"
        yield Problem(str(path), "", None, shown(missing[0]), len(missing), what, fix)
    present = [item for item in item_ids if item in table]
    odd = [item for item in present if not _is_sequence(table[item])]
    if odd:
        what = f"{shown(odd[0])} has no list of codes"
        yield Problem(str(path), "", None, shown(table[odd[0]]), len(odd), what, fix)
    sound = [item for item in present if _is_sequence(table[item])]
    levels = len(table[sound[0]]) if sound else 0
    uneven = [item for item in sound if len(table[item]) != levels]
    if uneven:
        what = f"{shown(uneven[0])} does not have {levels} codes, as {shown(sound[0])} does"
        yield Problem(str(path), "", None, shown(table[uneven[0]]), len(uneven), what, fix)


def _is_sequence(value: object) -> bool:
    """Whether it is a list of codes, each a text or a whole number."""
    return isinstance(value, list) and bool(value) and all(type(c) in (str, int) for c in value)
