"""The folder of a benchmark's run: whose it is, and what it holds already."""

from __future__ import annotations

from pathlib import Path

from tastemaker import files
from tastemaker.config import environment, to_json
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.understand import samples
from tastemaker.understand.asked import Judge, Understands
from tastemaker.understand.extract import LanguageModel
from tastemaker.understand.language_judge import LanguageJudge
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.samples import Sample
from tastemaker.understand.task import Task

CONFIG = "config.json"
REPLIES = "replies.sqlite"
"""Where the replies of language models are kept for a run, beside its samples."""
FORMAT = 1
"""Of the folder, and of the way in which it is scored."""


def oracle_of(task: Task) -> Oracle | None:
    """What users are known to have: from the task or, where it is planted, the truth."""
    return task.oracle or (Oracle(task.planted.oracle) if task.planted else None)


def header(task: Task, model: Understands, judge: Judge | None, settled: JsonObject) -> JsonObject:
    """What decides a run's result; a folder whose header differs holds another run.

    Args:
        task: Who is asked about.
        model: Who writes interests.
        judge: Who checks them.
        settled: Options that decide a result.
    """
    oracle = oracle_of(task)
    return {
        "format": FORMAT,
        "task": {"name": task.name, "sha256": task.sha256, "note": task.note},
        "oracle_sha256": oracle.sha256 if oracle else None,
        "taxonomy_sha256": task.taxonomy.sha256 if task.taxonomy else None,
        "model": _who(model),
        "judge": _who(judge) if judge else None,
        "options": settled,
    }


def _who(one: Understands | Judge) -> JsonObject:
    """Name and identity, and how a language model is asked."""
    told: JsonObject = {"name": one.name, "identity": one.identity}
    if isinstance(one, LanguageModel | LanguageJudge):
        told["options"] = to_json(one.options)
    return told


def opened(out: Path, new: JsonObject, resume: bool) -> list[Sample]:
    """The samples that a folder holds already, after a look at whose they are.

    Args:
        out: The folder, made where there is none.
        new: `header` of the run that is wanted.
        resume: Whether a run that is there already may go on.

    Raises:
        BadInput: If it holds another run, which says what differs, one that may not go on, or
            something else.
    """
    path = out / CONFIG
    if not path.is_file():
        others = [one for one in out.glob("*") if not one.name.startswith(REPLIES)]
        if others:
            what = "The folder holds something that is no run of this benchmark."
            raise BadInput(what, str(out), "Choose another folder.")
        files.make_folder(out)
        files.write_json(path, new | {"environment": environment()})
        return []
    old = files.read_json(path)
    old.pop("environment", None)
    there, here = _flat(old), _flat(new)
    changed = [
        f"{name} is {there.get(name)!r:.80} there and {here.get(name)!r:.80} here"
        for name in {**here, **there}
        if there.get(name) != here.get(name)
    ]
    if changed:
        what = f"The folder holds another run: {'; '.join(changed)}."
        raise BadInput(what, str(path), "Choose another folder, or the same task and options.")
    done = samples.read(out)
    if done and not resume:
        what = "The folder holds this run already."
        fix = "Go on with it (--resume), or choose another folder."
        raise BadInput(what, str(out), fix)
    return done


def _flat(value: JsonObject, before: str = "") -> JsonObject:
    """An object without objects in it: `a.b` for b in a."""
    leaves: JsonObject = {}
    for name, inner in value.items():
        leaves |= (
            _flat(inner, f"{before}{name}.") if isinstance(inner, dict) else {before + name: inner}
        )
    return leaves
