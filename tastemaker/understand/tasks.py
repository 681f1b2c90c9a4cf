"""Ready tasks by name, and any log by its path, as what models are asked about.

Events become polarities as the data declares them. Ratings declare nothing, so what they mean here
is our choice, which the note of such a task says: 5 stars are explicit approval, 4 implicit, 2 and
less explicit refusal, and what lies between says neither and is left out.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from tastemaker.counts import counted
from tastemaker.data.amazon_cds import read_amazon_cds
from tastemaker.data.datasets import load, names
from tastemaker.data.declaration import Declaration, Polarity, ValueBands
from tastemaker.data.gist_rows import (
    DECLARED,
    GistRows,
)
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import by_band
from tastemaker.data.signals import signals
from tastemaker.errors import BadInput
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.task import Task
from tastemaker.understand.task_paths import item_categories, planted_task, task_of_path
from tastemaker.understand.taxonomy import Taxonomy
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users
from tastemaker.worlds.short_videos import DECLARED as VIDEO_EVENTS
from tastemaker.worlds.short_videos import short_videos
from tastemaker.worlds.wishes import CATEGORIES

TASKS: Mapping[str, str] = {
    "planted": "generated users whose interests are known, so that no judge is needed",
    "movielens-small": "671 people who rated films; ratings become polarities by our mapping",
    "amazon-cds": "2,991 people who rated albums, likewise; needs TASTEMAKER_DATA",
    "short-videos": "100 generated users of short videos who view, like, share and skip",
}
"""Names that `open_task` knows → what they are, in a line."""

FILMS: Mapping[Polarity, tuple[float, float]] = {
    "explicit_positive": (4.5, 5.0),
    "implicit_positive": (3.5, 4.0),
    "explicit_negative": (0.5, 2.0),
}
"""What a rating in half stars means, where the middle means nothing."""
ALBUMS: Mapping[Polarity, tuple[float, float]] = {
    "explicit_positive": (5.0, 5.0),
    "implicit_positive": (4.0, 4.0),
    "explicit_negative": (1.0, 2.0),
}
"""What a rating in whole stars means."""
_VIDEO_USERS, _VIDEO_EVENTS, _VIDEOS = 100, 200, 2_000


def open_task(
    name: str | Path,
    taxonomy: Path | None = None,
    oracle: Path | None = None,
    planted: PlantedOptions | None = None,
) -> Task:
    """A ready task, or the users of a log.

    Args:
        name: One of `TASKS`; a file in GISTBench's schema, or a folder with one and, where there
            are any, `taxonomy.csv`, `oracle.json`, `items.*` and the truth of planted users; or
            whatever `data.datasets.load` reads.
        taxonomy: CSV of categories, in place of the task's own.
        oracle: JSON of what users are known to have, in place of the task's own.
        planted: Knobs of the task `planted`.

    Raises:
        BadInput: If there is no such task, its data cannot be read, its log tells no polarities, or
            oracle and taxonomy do not fit each other.
    """
    ready: dict[str, Callable[[], Task]] = {
        "planted": lambda: planted_task(plant_users(planted)),
        "movielens-small": _films,
        "amazon-cds": _albums,
        "short-videos": _videos,
    }
    if planted is not None and str(name) != "planted":
        raise BadInput(f"{str(name)!r} is not planted.", "task", "Leave its options out.")
    if str(name) in ready:
        task = ready[str(name)]()
    else:
        _refuse_unknown(name)
        task = task_of_path(name)
    if taxonomy is not None:
        task = replace(task, taxonomy=Taxonomy.open(taxonomy))
    if oracle is not None:
        task = replace(task, oracle=Oracle.open(oracle))
    _refuse_unfit(task)
    return task


def _films() -> Task:
    dataset = load("movielens-small")
    catalog = dataset.catalog.align(dataset.interactions.item_ids)
    categories = item_categories(catalog)
    genres = sorted({genre for own in categories.values() for genre in own})
    texts = dict(zip(catalog.frame["item_id"], catalog.texts(), strict=True))
    task = _rated("movielens-small", dataset.interactions, FILMS, texts)
    known = {item: own for item, own in categories.items() if item in task.texts}
    return replace(task, noun="films", taxonomy=Taxonomy(tuple(genres)), categories=known)


def _albums() -> Task:
    outside = os.environ.get("TASTEMAKER_DATA")
    folder = Path(outside, "amazon-cds") if outside else None
    if folder is None or not folder.is_dir():
        fix = "Set TASTEMAKER_DATA to the folder that holds amazon-cds."
        raise BadInput("The files of amazon-cds are not on this machine.", "task", fix)
    read = read_amazon_cds(folder)
    return replace(_rated("amazon-cds", read.interactions, ALBUMS, read.titles), noun="albums")


def _videos() -> Task:
    world = short_videos(_VIDEO_USERS, _VIDEO_EVENTS, _VIDEOS)
    catalog = world.catalog()
    return Task(
        "short-videos",
        signals(world.interactions(), VIDEO_EVENTS),
        dict(zip(catalog.frame["item_id"], catalog.texts(), strict=True)),
        noun="videos",
        taxonomy=Taxonomy(CATEGORIES),
        categories=item_categories(catalog),
    )


def _rated(
    name: str,
    log: Interactions,
    bands: Mapping[Polarity, tuple[float, float]],
    texts: Mapping[str, str],
) -> Task:
    """A log of ratings by our mapping; users and items without a telling rating are left out."""
    meaning = ValueBands("value", dict(bands))
    declared = Declaration(
        events=dict.fromkeys(log.event_names, "implicit_positive"), value=meaning
    )
    telling = by_band(log, declared) != 0
    frame = GistRows(log.select(telling), {}, declared).frame().drop("object_text")
    columns = {"object_id": "item_id", "interaction_type": "event", "interaction_time": "timestamp"}
    told = Interactions.from_frame(frame.rename(columns))
    ranges = ", ".join(f"from {low:g} to {high:g} {kind}" for kind, (low, high) in bands.items())
    silent = counted(int((~telling).sum()), "rating")
    note = f"Ratings became polarities by our mapping, not the paper's ({ranges}); {silent} "
    note += "between them left out."
    known = {item: texts.get(item, "") for item in told.item_ids}
    return Task(name, signals(told, DECLARED), known, note=note)


def _refuse_unknown(name: str | Path) -> None:
    """Refuse a name of nothing, with all the names there are."""
    if str(name) and Path(name).expanduser().exists():
        return
    sets = names()
    if str(name) in sets:
        return
    known = ", ".join([*TASKS, *(one for one in sets if one not in TASKS)])
    fix, what = f"Known names: {known}. Or give a path.", f"{str(name)!r:.200}"
    raise BadInput(f"There is no task, data set or path called {what}.", "task", fix)


def _refuse_unfit(task: Task) -> None:
    """Refuse an oracle whose numbers no taxonomy explains."""
    if task.oracle is None:
        return
    if task.taxonomy is None:
        fix = "Give the taxonomy too, whose categories the oracle's numbers are."
        raise BadInput("The oracle stands without a taxonomy.", "oracle", fix)
    most, many = (
        max((max(own, default=0) for own in task.oracle.users.values()), default=0),
        len(task.taxonomy.names),
    )
    if most > many:
        what = f"The oracle names category {most:,}, and the taxonomy has {many:,}."
        raise BadInput(what, "oracle", "Give the oracle and the taxonomy that belong together.")
