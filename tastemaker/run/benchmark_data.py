"""What GISTBench is run on, and what its verdicts are held against: made users and surveys."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl

from tastemaker import files
from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.gist_rows import DECLARED
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import CODES
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.understand import gistbench_folder, samples
from tastemaker.understand.gistbench_results import checked_interests
from tastemaker.understand.planted_folder import write_planted
from tastemaker.understand.survey import Survey, by_counting, of_checked, validate
from tastemaker.understand.task import Task
from tastemaker.understand.tasks import open_task
from tastemaker.understand.taxonomy import Taxonomy
from tastemaker.worlds.fitted_users import fitted_users
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users


def make_planted(options: PlantedOptions, out: str) -> JsonObject:
    """Write users whose interests are known into a folder that is a task.

    Args:
        options: Knobs of the world.
        out: A folder that is empty or not there yet.
    """
    folder = _fresh(out)
    world = plant_users(options)
    write_planted(world, folder)
    interests = sum(map(len, world.oracle.values()))
    told = {"users": options.users, "events": len(world.frame), "interests": interests}
    return {"folder": str(folder), **told}


def make_dataset(name: str, users: int, seed: int, out: str) -> JsonObject:
    """Write synthetic users who are like those of a task in sum.

    Args:
        name: Of the task whose marginals they have.
        users: How many.
        seed: Of all that is drawn.
        out: A folder that is empty or not there yet.
    """
    folder, task = _fresh(out), open_task(name)
    made = fitted_users(_log(task), DECLARED, _catalog(task), users, seed)
    made.write(folder)
    told = {"users": users, "events": len(made.frame), "like": task.name, "note": task.note}
    rows = [list(row) for row in made.fidelity.rows()]
    return {"folder": str(folder), **told, "fidelity": made.fidelity.to_json(), "rows": rows}


def validate_interests(
    name: str, survey: str, middle: float | None = None, taxonomy: str = ""
) -> JsonObject:
    """Compare verified interests with what users answered in a survey.

    Args:
        name: Folder of a run of the benchmark, whose verdicts count; or a task, whose interests are
            counted in code.
        survey: File of answers.
        middle: Rating above which an answer is a yes; None: the middle of the scale.
        taxonomy: CSV by whose categories interests of other names are the same.
    """
    asked = Survey.open(Path(survey), middle)
    known = Taxonomy.open(Path(taxonomy)) if taxonomy else None
    folder = Path(name)
    if (folder / gistbench_folder.CONFIG).is_file() and (folder / samples.NAME).is_file():
        mode = files.read_json(folder / gistbench_folder.CONFIG)["options"]["mode"]
        everyone = [one for one in samples.read(folder) if not one.excluded]
        found = {one.user: of_checked(checked_interests(one, mode)) for one in everyone}
        mapped = _mapped(everyone, known)
    else:
        task = open_task(name)
        known, found, mapped = known or task.taxonomy, by_counting(task), {}
    agreement = validate(found, asked, known, mapped)
    return {"of": name, **agreement.to_json(), "rows": [list(row) for row in agreement.rows()]}


def _mapped(everyone: list[samples.Sample], taxonomy: Taxonomy | None) -> dict[str, int]:
    """What a run's judge mapped each name to."""
    if taxonomy is None:
        return {}
    return {
        taxonomy.key(one.name): one.category
        for each in everyone
        for one in each.interests
        if isinstance(one.category, int) and one.category
    }


def _fresh(out: str) -> Path:
    folder = Path(out)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise BadInput(f"{out!r:.200} holds something already.", "--out", "Choose another folder.")
    return folder


def _log(task: Task) -> Interactions:
    """A task's log with polarities as its kinds of events."""
    log = task.signals.log
    names = {code: name for name, code in CODES.items()}
    told = pl.Series(task.signals.codes).replace_strict(names, return_dtype=pl.String)
    columns = {
        "user_id": log.user_ids.gather(np.repeat(np.arange(log.num_users), log.lengths)),
        "item_id": pl.Series(log.decode(log.items), dtype=pl.String),
        "event": told,
    }
    if log.times is not None:
        columns["timestamp"] = pl.Series(log.times)
    return Interactions.from_frame(pl.DataFrame(columns))


def _catalog(task: Task) -> Catalog:
    items = list(task.signals.log.item_ids)
    columns = {"item_id": items, "categories": [[*task.categories.get(i, ())] for i in items]}
    frame = pl.DataFrame(columns, schema_overrides={"categories": pl.List(pl.String)})
    missing = [name for name in SCHEMA if name not in columns]
    frame = frame.with_columns(pl.lit(None).cast(SCHEMA[name]).alias(name) for name in missing)
    return Catalog(frame.select(list(SCHEMA)))
