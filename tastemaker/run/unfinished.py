"""A folder without a finished run: what it is instead, and what makes it one.

A run that was stopped goes on with the very options that it was begun with; its `config.json` has
them, and from there they come back as the words of a command.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from tastemaker.artifacts import MANIFEST
from tastemaker.config import to_json
from tastemaker.errors import ArtefactError, TastemakerError
from tastemaker.files import JsonObject, read_json
from tastemaker.recommend.backbones import backbone_of

CHECKPOINTS = "checkpoints"
_SAME = "Go on with the command that began it and --resume"
_NAMED = 8
"""Names inside a folder that a message lists."""


def no_run(run: Path, config_name: str) -> ArtefactError:
    """The error for a path where no finished run stands.

    Args:
        run: Nothing, a file, or a folder without a manifest.
        config_name: File in which a run keeps what it was begun with.
    """
    anew = f"Give the path of a run, or make one: tastemaker run --out {shlex.quote(str(run))}"
    if not run.exists():
        return ArtefactError(str(run), "There is no such folder", "a run", "nothing", f"{anew}.")
    if not run.is_dir():
        other = "Give the path of a run's folder."
        return ArtefactError(str(run), "This is no run directory", "a folder", "a file", other)
    config = _config(run / config_name)
    if config is None and not (run / CHECKPOINTS).is_dir():
        other = f"Give the path of a run, or make one: tastemaker run --out FOLDER.{_inside(run)}"
        what, want = "This is no run directory", f"{MANIFEST} and {config_name}"
        return ArtefactError(str(run), what, want, _held(run), other)
    command = going_on(run, config or {})
    fix = f"Wait for what is writing it, or go on with: {command}" if command else f"{_SAME}."
    return ArtefactError(str(run), "This run is not finished", MANIFEST, "none yet", fix)


def going_on(run: Path, config: JsonObject) -> str:
    """The command that goes on with an unfinished run; empty where there is none.

    Args:
        run: Its folder.
        config: The contents of its `config.json`.
    """
    if config.get("knobs") or config.get("updated"):
        return ""  # of a search, whose words are not kept, or of an update, which begins anew
    try:
        default = backbone_of(str(config["model"])).presets["default"]
        model = list(_changed("model", config["model_config"], to_json(default.model)))
        fit = {name: value for name, value in config["fit"].items() if name != "seed"}
        words = ["tastemaker", "train", str(config["model"]), "--data", str(config["data"])]
        words += ["--split", str(config["split"]), "--seed", str(config["seed"])]
        words += ["--repeats"] if config["repeats"] else []
        words += ["--on-bad-rows", "drop"] if config.get("on_bad_rows") == "drop" else []
        words += [*model, *_changed("fit", fit, to_json(default.fit))]
    except (KeyError, TypeError, AttributeError, ValueError, TastemakerError):
        return ""  # of another version, or damaged
    return shlex.join([*words, "--out", str(run), "--resume"])


def _changed(group: str, values: JsonObject, default: JsonObject) -> Iterator[str]:
    """The words of those options that are not at their defaults."""
    for name, value in values.items():
        option = f"{group}.{name.replace('_', '-')}"
        if value == default[name]:
            continue
        if isinstance(value, bool):
            yield f"--{option}" if value else f"--{group}.no-{name.replace('_', '-')}"
        elif isinstance(value, str | int | float):
            yield from (f"--{option}", str(value))
        else:
            raise ValueError(f"{option} is no plain value")


def _config(path: Path) -> JsonObject | None:
    """What a run was begun with; None where there is no such file."""
    try:
        config = read_json(path)
    except TastemakerError:
        return None
    return config if {"model", "model_config", "fit"} <= config.keys() else None


def _held(run: Path) -> str:
    names = sorted(path.name for path in run.iterdir())
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more or "an empty folder"


def _inside(run: Path) -> str:
    """Says which runs stand in a folder that is none."""
    runs = sorted(str(path.parent) for path in run.glob(f"*/{MANIFEST}"))
    return f" Inside are: {', '.join(runs[:_NAMED])}." if runs else ""
