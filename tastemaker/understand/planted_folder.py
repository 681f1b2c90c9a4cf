"""Planted users in a folder: rows as GISTBench has them, and the truth beside them.

    rows.csv        who met which item, in GISTBench's columns
    items.parquet   every item with text and topic, also those that nobody met
    taxonomy.csv    the topics, numbered
    oracle.json     the topics of each user's interests
    truth.json      what was planted: options, and what each topic is to each user

Opened again, it is the same world to the letter.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

import polars as pl

from tastemaker import files
from tastemaker.config import from_json, to_json
from tastemaker.data.gist_rows import GistRows
from tastemaker.errors import BadInput
from tastemaker.understand.oracle import Oracle
from tastemaker.worlds.planted_interests import EVENTS, PlantedOptions, PlantedUsers, Role
from tastemaker.worlds.topics import TOPICS

ROWS, ITEMS = "rows.csv", "items.parquet"
TAXONOMY, ORACLE, TRUTH = "taxonomy.csv", "oracle.json", "truth.json"
_ROLES: dict[str, Role] = {"interest": "interest", "decoy": "decoy", "noise": "noise"}


def write_planted(world: PlantedUsers, folder: Path) -> None:
    """Write a folder that `tasks.open_task` reads.

    Raises:
        OutOfResources: If the disk is full or may not be written.
    """
    files.make_folder(folder)
    GistRows(world.interactions(), world.texts, world.declared).save(folder / ROWS)
    world.catalog().save(folder / ITEMS)
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(
        [("category_id", "category_name"), *enumerate(TOPICS, start=1)]
    )
    files.write_text(folder / TAXONOMY, lines.getvalue())
    Oracle(world.oracle).save(folder / ORACLE)
    planted = {
        user: {str(t): role for t, role in own.items()} for user, own in world.planted.items()
    }
    truth = {"options": to_json(world.options), "topics": world.topics, "planted": planted}
    files.write_json(folder / TRUTH, truth)


def open_truth(path: Path, rows: GistRows, texts: dict[str, str]) -> PlantedUsers:
    """The planted users behind rows.

    Args:
        path: `truth.json`.
        rows: What the users did.
        texts: Item id → text, of items that nobody met among them.

    Raises:
        BadInput: If it is no such file, or speaks of other users or items than the rows.
        ArtefactError: If it is no JSON.
    """
    told = files.read_json(path)
    fix = "Make the folder again with `tastemaker gistbench make-planted`."
    try:
        options = from_json(PlantedOptions, told["options"], str(path))
        topics = {str(item): int(topic) for item, topic in told["topics"].items()}
        planted = {
            str(user): {int(topic): _ROLES[role] for topic, role in own.items()}
            for user, own in told["planted"].items()
        }
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        what = f"The file is no truth of planted users: {type(error).__name__} {error}."
        raise BadInput(what, str(path), fix) from None
    log = rows.interactions
    for what, known, ids in (("User", planted, log.user_ids), ("Item", topics, log.item_ids)):
        strange = next((name for name in ids if name not in known), None)
        if strange is not None:
            raise BadInput(f"{what} {strange!r} of the rows was not planted.", str(path), fix)
    if log.user_ids.len() < len(planted):
        raise BadInput("Some planted users have no rows.", str(path), fix)
    return PlantedUsers(options, _frame(rows, list(planted)), texts, topics, planted)


def _frame(rows: GistRows, users: list[str]) -> pl.DataFrame:
    """The log as the world has it: its kinds of event, its order of users."""
    names = {"object_id": "item_id", "interaction_time": "timestamp", "interaction_type": "event"}
    frame = rows.frame().drop("object_text").rename(names)
    events = {str(polarity): event for polarity, event in EVENTS.items()}
    places = {user: place for place, user in enumerate(users)}
    return (
        frame.with_columns(pl.col("event").replace_strict(events))
        .sort(pl.col("user_id").replace_strict(places), maintain_order=True)
        .select("user_id", "item_id", "timestamp", "event")
    )
