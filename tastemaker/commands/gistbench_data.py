"""tastemaker gistbench make-planted, make-dataset, validate: data of the benchmark."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from tastemaker.commands.terminal import plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import SEEDS, Positional


@dataclass(frozen=True)
class PlantedFolderOptions:
    """Write users whose interests are known, with the truth."""

    out: Positional
    """folder to write"""
    users: int = 12
    """users"""
    interests: int = 4
    """interests of a user"""
    events: int = 8
    """distinct items of the topic of an interest, 3 or more"""
    decoys: float = 0.5
    """near misses of a user, as a share of the interests"""
    ambiguity: float = 0.0
    """chance that a word of an item's text is of another topic, 0 to 1"""
    length: int = 80
    """events of a user"""
    seed: int = 0
    """seed of all lots"""


@dataclass(frozen=True)
class FittedFolderOptions:
    """Write synthetic users who are like those of a log in sum, and none of whom is one."""

    log: Positional
    """name of a data set (`tastemaker data list`), a data folder, a file, or rows in GISTBench's
    schema"""
    out: str = ""
    """folder to write; default: LOG-synthetic"""
    users: int = 1_000
    """users to draw"""
    seed: int = 0
    """seed of all lots"""


@dataclass(frozen=True)
class ValidateOptions:
    """Compare verified interests with what users answered."""

    log: Positional
    """as `gistbench run` takes it"""
    survey: str = ""
    """table of user_id, interest and answer: yes or no, or a rating"""
    run: str = ""
    """folder of a run, whose model's interests are compared; default: interests are counted in
    code, a category an interest"""
    taxonomy: str = ""
    """CSV of category_id,category_name in place of the log's own"""
    middle: float | None = None
    """a rating above it is a yes; default: the middle of the lowest and the highest"""


def make_planted(options: PlantedFolderOptions) -> JsonObject:
    """Write generated users whose interests are known, with the truth."""
    from tastemaker.understand.planted_folder import write_planted
    from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

    folder = _fresh(options.out, options.seed)
    if options.users < 1:
        raise BadInput(f"{options.users} users are none.", "--users", "Plant one or more.")
    world = plant_users(
        PlantedOptions(
            options.users,
            options.interests,
            options.events,
            options.decoys,
            options.ambiguity,
            options.length,
            seed=options.seed,
        )
    )
    write_planted(world, folder)
    return {"folder": str(folder), "users": options.users, "events": len(world.frame)}


def make_dataset(options: FittedFolderOptions) -> JsonObject:
    """Write synthetic users fitted to a log, and how like it they are."""
    from tastemaker.understand.task_paths import open_log
    from tastemaker.worlds.fitted_users import fitted_users

    name = Path(options.log).name.partition(".")[0] or "log"
    folder = _fresh(options.out or f"{name}-synthetic", options.seed)
    log, declared, catalog = open_log(options.log)
    made = fitted_users(log, declared, catalog, options.users, options.seed)
    made.write(folder)
    size = {"users": options.users, "events": len(made.frame)}
    rows = [list(row) for row in made.fidelity.rows()]
    return {"folder": str(folder), **size, "fidelity": made.fidelity.to_json(), "rows": rows}


def validate_survey(options: ValidateOptions) -> JsonObject:
    """Agreement and rank correlation of verified interests with users' own answers."""
    from tastemaker.understand.survey import Survey, validate
    from tastemaker.understand.survey_evidence import by_counting, of_run
    from tastemaker.understand.tasks import open_task

    if not options.survey:
        raise BadInput(
            "There is no survey.", "--survey", "Give a table of user_id,interest,answer."
        )
    answers = Survey.open(Path(options.survey), options.middle)
    task = open_task(options.log, Path(options.taxonomy) if options.taxonomy else None)
    evidence = of_run(Path(options.run), task.taxonomy) if options.run else by_counting(task)
    found = validate(evidence.verified, answers, task.taxonomy, evidence.known)
    return found.to_json() | {"rows": [list(row) for row in found.rows()]}


def show_made(answer: JsonObject) -> None:
    """How much was written, and where."""
    out = screen()
    users, events = counted(answer["users"], "user"), counted(answer["events"], "event")
    out.print(plain(f"{users}, {events}"))
    if "rows" in answer:
        out.print(_table(("marginal", "real", "synthetic", "distance"), answer["rows"]))
    out.print(plain(answer["folder"]), soft_wrap=True)


def show_agreement(answer: JsonObject) -> None:
    """Measures with intervals, and what could not be compared."""
    out = screen()
    out.print(plain(
        f"{counted(answer['compared'], 'answer')} of {counted(answer['users'], 'user')}; left out: "
        f"{counted(answer['unmatched'], 'answer')} about unknown interests, "
        f"{counted(answer['unknown_users'], 'user')} who are not in the log; "
        f"{counted(answer['unasked'], 'verified interest')} not asked about"
    ), soft_wrap=True)  # fmt: skip
    out.print(_table(("measure", "value", "95 % interval"), answer["rows"]))


def _table(names: tuple[str, ...], rows: list[list[str]]) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if place else "left")
    for row in rows:
        table.add_row(*(plain(cell) for cell in row))
    return table


def _fresh(name: str, seed: int) -> Path:
    """A folder that may be written.

    Raises:
        BadInput: If something lies there, or the seed is none.
    """
    if not 0 <= seed < SEEDS:
        fix = f"Give a whole number from 0 to {SEEDS - 1:,}."
        raise BadInput(f"seed = {seed} is no seed.", "--seed", fix)
    folder = Path(name).expanduser()
    if "\0" in name or folder.name in ("", "..") or folder.is_file():
        raise BadInput(f"{name!r:.200} is no folder to write.", "out", "Name a folder of its own.")
    if folder.is_dir() and any(folder.iterdir()):
        raise BadInput("The folder is not empty.", str(folder), "Name another, or remove it.")
    return folder


VERBS: dict[str, Verb | Later] = {
    "gistbench make-planted": Verb(make_planted, PlantedFolderOptions, show_made),
    "gistbench make-dataset": Verb(make_dataset, FittedFolderOptions, show_made),
    "gistbench validate": Verb(validate_survey, ValidateOptions, show_agreement),
}
