"""Amazon Office as the public split has it: rows of a history and its next item, items with text.

There is no training file. Training events are the items inside the histories of `valid.csv`, each
user's rows merged into one sequence; weights are chosen on each user's last row there, whose target
no history of that file holds; `test.csv` is the test, its histories given as context.
"""

from __future__ import annotations

import ast
import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.queries import Queries

Row = tuple[str, list[int], int]


def rows_of(path: Path) -> list[Row]:
    """User, history and target of every row, as codes from 1."""
    with path.open(newline="") as file:
        return [
            (row["user_id"], [i + 1 for i in ast.literal_eval(row["history_item_id"])],
             int(row["item_id"]) + 1)
            for row in csv.DictReader(file)
        ]  # fmt: skip


def merged(rows: Iterable[Row]) -> dict[str, list[int]]:
    """One sequence a user out of histories that grow and slide."""
    whole: dict[str, list[int]] = {}
    for user, history, _ in rows:
        so_far = whole.setdefault(user, [])
        overlaps = range(min(len(so_far), len(history)), -1, -1)
        shared = next(n for n in overlaps if n == 0 or so_far[-n:] == history[:n])
        so_far += history[shared:]
    return whole


def contexts(histories: list[list[int]], users: list[int]) -> Contexts:
    """Histories as flat rows."""
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in histories])]).astype(np.int64)
    return Contexts(np.array(users), offsets, np.concatenate(histories).astype(np.int32))


def queries(rows: list[Row], codes: dict[str, int]) -> Queries:
    """Rows as contexts and targets."""
    past = contexts([history for _, history, _ in rows], [codes[user] for user, _, _ in rows])
    return Queries(past, np.array([t for *_, t in rows], np.int32), np.arange(len(rows) + 1))


def catalog(folder: Path) -> Catalog:
    """Titles and brands; descriptions are left out, as most are longer than what is read."""
    items = json.loads((folder / "Office_Products.item.json").read_text())
    rows = [
        {"item_id": key, "title": one["title"], "categories": [one["brand"]]}
        for key, one in sorted(items.items(), key=lambda pair: int(pair[0]))
    ]
    empty = dict.fromkeys(SCHEMA)
    return Catalog(pl.DataFrame([empty | row for row in rows], schema=SCHEMA))


def cut(folder: Path) -> tuple[Contexts, Queries, Queries]:
    """Training histories, validation and test of the files in a folder."""
    shown, asked = rows_of(folder / "valid.csv"), rows_of(folder / "test.csv")
    codes = {user: at for at, user in enumerate(sorted({row[0] for row in shown + asked}))}
    sequences = merged(shown)
    train = contexts(list(sequences.values()), [codes[user] for user in sequences])
    newest = list({row[0]: row for row in shown}.values())
    return train, queries(newest, codes), queries(asked, codes)


def office() -> tuple[Catalog, Contexts, Queries, Queries]:
    """Items, training histories, validation and test; needs `TASTEMAKER_DATA`."""
    folder = Path(os.environ["TASTEMAKER_DATA"]) / "amazon-office"
    return catalog(folder), *cut(folder)


def cds() -> tuple[Catalog, Contexts, Queries, Queries]:
    """The same of Amazon CDs, which is split likewise; items have titles alone."""
    folder = Path(os.environ["TASTEMAKER_DATA"]) / "amazon-cds"
    lines = (folder / "info.txt").read_text(encoding="utf-8").splitlines()
    titles = {int(item): title for title, _, item in (line.rpartition("\t") for line in lines)}
    empty = dict.fromkeys(SCHEMA)
    rows = [empty | {"item_id": str(item), "title": titles[item]} for item in sorted(titles)]
    return Catalog(pl.DataFrame(rows, schema=SCHEMA)), *cut(folder)
