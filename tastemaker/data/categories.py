"""Categories: lists and texts of several spellings → one list of names an item.

A text is a list, as in `["Drama", "War"]`, or names between bars, or names between commas. A comma
may also stand inside a name: where the column has lists or bars, they say which names there are.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable

import polars as pl

NO_CATEGORY = "(no genres listed)"
"""What MovieLens writes where there is none."""

_STRING = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_LIST = re.compile(rf"\s*\[\s*(?:{_STRING}\s*(?:,\s*{_STRING}\s*)*,?\s*)?\]\s*", re.DOTALL)
_LIKE_A_LIST = re.compile(r"""\s*(?:\w+\()?[\[({]\s*['"\[({]|\s*\[.*\]\s*$""", re.DOTALL)

Names = list[str]


def fold(name: str) -> str:
    """What all spellings of a name have in common: no outer blanks, one case."""
    return " ".join(unicodedata.normalize("NFC", name).split()).casefold()


def read_lists(texts: pl.Series) -> tuple[pl.Series, list[tuple[pl.Series, str, str]]]:
    """Lists of names, as they are spelt, from a column of texts.

    Returns:
        (I,) lists, null where there is no text; and rows that cannot be read safely, as (rows,
        cause, fix).
    """
    unique = texts.drop_nulls().unique(maintain_order=True)
    read, broken = _between_marks(unique.to_list())
    known = {fold(name) for names in read.values() for name in names}
    structured = any("|" in text or _LIST.fullmatch(text) for text in read)
    unclear: set[str] = set()
    for text in unique.to_list():
        if text not in read and text not in broken:
            names = _between_commas(text, known) if structured else text.split(",")
            if names is None:
                unclear.add(text)
            else:
                read[text] = names
    lists = pl.Series([read.get(text, []) for text in unique], dtype=pl.List(pl.String))
    names_of = pl.DataFrame({"text": unique, "names": lists})
    every = (
        texts.alias("text").to_frame().join(names_of, on="text", how="left", maintain_order="left")
    )
    causes: list[tuple[set[str], str, str]] = [
        (
            broken,
            "the text looks like a list and is none",
            'Write ["Drama", "War"], each name in quotes, or Drama|War.',
        ),
        (
            unclear,
            "the comma may part two categories or belong to one",
            "Part categories by bars in every row, as in Drama|War, or store lists.",
        ),
    ]
    bad = [
        (texts.is_in(list(which)).fill_null(value=False), what, fix)
        for which, what, fix in causes
        if which
    ]
    return every["names"], bad


def unify(lists: pl.Series) -> pl.Series:
    """(I,) lists with one spelling a name, each name once an item, and none that is empty.

    Spellings that differ in case or blanks are one name, shown as most rows have it.
    """
    frame = pl.DataFrame({"name": lists}).with_row_index("item")
    exploded = frame.explode("name").drop_nulls()
    counts = exploded["name"].value_counts(sort=False).sort("count", descending=True)
    first = exploded["name"].unique(maintain_order=True).to_list()
    place = {name: number for number, name in enumerate(first)}
    ranked = sorted(counts.iter_rows(), key=lambda pair: (-pair[1], place[pair[0]]))
    shown: dict[str, str] = {fold(NO_CATEGORY): "", "": ""}
    for name, _ in ranked:
        shown.setdefault(fold(name), " ".join(name.split()))
    spelling = {name: shown[fold(name)] for name in first}
    names = exploded["name"].replace_strict(spelling, return_dtype=pl.String)
    spelt = exploded.with_columns(names).filter(pl.col("name") != "")
    grouped = spelt.group_by("item", maintain_order=True).agg(
        pl.col("name").unique(maintain_order=True)
    )
    joined = frame.select("item", given=pl.col("name").is_not_null()).join(
        grouped, on="item", how="left", maintain_order="left"
    )
    empty = pl.lit([], dtype=pl.List(pl.String))
    given = pl.when("given").then(pl.col("name").fill_null(empty))
    return joined.select(given.alias(lists.name)).to_series()


def _between_marks(texts: Iterable[str]) -> tuple[dict[str, Names], set[str]]:
    """Texts that are lists, have bars or name one category; and those that only look like lists."""
    read: dict[str, Names] = {}
    broken = set()
    for text in texts:
        if _LIST.fullmatch(text):
            names = _list(text)
            if names is None:
                broken.add(text)
            else:
                read[text] = names
        elif _LIKE_A_LIST.match(text):
            broken.add(text)
        elif "|" in text:
            read[text] = text.split("|")
        elif "," not in text:
            read[text] = [text]
    return read, broken


def _list(text: str) -> Names | None:
    """Names of a list written in JSON or Python; None where an escape has no plain meaning."""
    try:
        names: Names = json.loads(text)
    except ValueError:
        inner = [string[1:-1] for string in re.findall(_STRING, text, re.DOTALL)]
        if any(re.search(r"""\\[^'"\\]""", re.sub(r"\\\\", "", name)) for name in inner):
            return None
        return [re.sub(r"""\\(['"\\])""", r"\1", name) for name in inner]
    return names


def _between_commas(text: str, known: set[str]) -> Names | None:
    """Names of a text with commas, in a column whose lists and bars name the `known` categories."""
    if fold(text) in known:
        return [text]
    names = [name for name in text.split(",") if name.strip()]
    familiar = sum(fold(name) in known for name in names)
    if familiar == len(names):
        return names
    return None if familiar else [text]
