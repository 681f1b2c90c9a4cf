"""Leaderboard of GISTBench: runs that may be compared stand in one ranking, others in their own.

A ranking is of one task, oracle, taxonomy, mode and judge, of the same sizes of line-ups and of the
same users; anything else has other numbers for the same model. Each row is compared with the first
user by user: the difference with its paired bootstrap interval, and the p of sign flips, corrected
by Holm over the ranking.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tastemaker import files
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import JsonObject
from tastemaker.metrics.comparisons import compare, holm
from tastemaker.understand.gistbench_folder import CONFIG
from tastemaker.understand.gistbench_results import DRAWS, RESULTS

HEADLINES = ("hm", "ig_f1", "ig_p")
"""What a ranking is by: the first of these that all of its rows have."""
COLUMNS = {
    "hm": "HM",
    "ig_f1": "IG_F1",
    "ig_p": "IG_P",
    "ig_r": "IG_R",
    "is": "IS",
    "validity": "citations valid",
    "compliance": "compliant",
}
"""Numbers of a row → titles."""

_NEEDED = (
    "format",
    "task",
    "oracle_sha256",
    "taxonomy_sha256",
    "mode",
    "judge",
    "model",
    "options",
    "users",
    "scores",
    "evidence",
    "counting",
    "counting_by_items",
    "failures",
    "tokens",
    "per_user",
)


def leaderboard(folders: Sequence[Path]) -> JsonObject:
    """Rank runs.

    Args:
        folders: Of scored runs, one or more.

    Returns:
        `rankings`, each with what it is of, `models` (label → numbers with mean and interval, the
        best first), `comparisons` with the first, `counting`, `failures`, `spent` and `folders`.

    Raises:
        BadInput: If there is no folder, or one is named twice.
        ArtefactError: If one has no results, or they are damaged.
    """
    if not folders:
        raise BadInput("There is nothing to rank.", "leaderboard", "Name folders of runs.")
    if len({folder.resolve() for folder in folders}) < len(folders):
        raise BadInput("A folder is named twice.", "leaderboard", "Name each folder once.")
    together: dict[str, list[tuple[Path, JsonObject]]] = {}
    for folder in folders:
        results = _results(folder)
        key = json.dumps(_comparable(results), sort_keys=True)
        together.setdefault(key, []).append((folder, results))
    return {"rankings": [_ranking(rows) for rows in together.values()]}


def _results(folder: Path) -> JsonObject:
    """The results of a run, of the shape that `score` writes.

    Raises:
        ArtefactError: If there are none, they are damaged, or they are of another kind of run.
    """
    path = folder / RESULTS
    if not path.is_file():
        if (folder / CONFIG).is_file():
            fix = f"Score the run: tastemaker gistbench score {folder}"
        else:
            fix = "Name the folders of runs of this benchmark, each one."
        raise ArtefactError(str(path), "File is missing", "the results of a run", "nothing", fix)
    results = files.read_json(path)
    if missing := [name for name in _NEEDED if name not in results]:
        got, fix = f"nothing of {missing[0]}", "Name the folder of a run of this benchmark."
    elif damaged := _damaged(results):
        got, fix = (
            f"{damaged} that is missing or damaged",
            f"Score the run again: tastemaker gistbench score {folder}",
        )
    else:
        return results
    what = "File has the wrong shape"
    raise ArtefactError(str(path), what, "results of this benchmark", got, fix)


def _damaged(results: JsonObject) -> str:
    """The first part of results whose numbers are not where they should be."""
    try:
        _comparable(results)
        numbers, whose = _numbers(results), results["per_user"]["users"]
        for cell in filter(None, (numbers.get(name) for name in COLUMNS)):
            sum(map(float, (cell["mean"], *cell["ci95"])))
        if any(len(results["per_user"][name]) != len(whose) for name in HEADLINES):
            return "per_user"
    except KeyError as error:
        return str(error.args[0])
    except (TypeError, ValueError):
        return "a number"
    return ""


def _comparable(results: JsonObject) -> JsonObject:
    """What has to be the same of the rows of a ranking."""
    judge = results["judge"]
    return {
        "format": results["format"],
        "task": results["task"]["sha256"],
        "oracle": results["oracle_sha256"],
        "taxonomy": results["taxonomy_sha256"],
        "mode": results["mode"],
        "judge": judge["identity"] if judge else None,
        "specificity": results["options"]["specificity"],
        "users": results["users"]["sha256"],
    }


def _ranking(rows: Sequence[tuple[Path, JsonObject]]) -> JsonObject:
    scored = [results["scores"] for _, results in rows]
    by = next((name for name in HEADLINES if all(scores[name] for scores in scored)), None)
    if by:
        rows = sorted(rows, key=lambda row: -row[1]["scores"][by]["mean"])
    labelled = dict(zip(_labels(rows), (results for _, results in rows), strict=True))
    first = next(iter(labelled.values()))
    told = ("task", "oracle_sha256", "taxonomy_sha256", "mode", "judge")
    return {
        **{name: first[name] for name in told},
        "specificity": first["options"]["specificity"],
        "users": first["users"]["scored"],
        "excluded": len(first["users"]["excluded"]),
        "by": by,
        "models": {label: _numbers(results) for label, results in labelled.items()},
        "comparisons": _comparisons(labelled, by) if by else [],
        "counting": {label: results["counting"] for label, results in labelled.items()},
        "counting_by_items": {
            label: results["counting_by_items"] for label, results in labelled.items()
        },
        "failures": {label: results["failures"] for label, results in labelled.items()},
        "spent": {
            label: {name: results[name] for name in ("tokens", "seconds", "cost")}
            for label, results in labelled.items()
        },
        "folders": dict(zip(labelled, (str(folder) for folder, _ in rows), strict=True)),
    }


def _labels(rows: Sequence[tuple[Path, JsonObject]]) -> list[str]:
    """A different name for every row: of the model, and its folder where two are called alike."""
    names = [str(results["model"]["name"]) for _, results in rows]
    return [
        name if names.count(name) == 1 else f"{name} ({folder})"
        for name, (folder, _) in zip(names, rows, strict=True)
    ]


def _numbers(results: JsonObject) -> JsonObject:
    return {**results["scores"], **(results["evidence"] or {})}


def _comparisons(labelled: Mapping[str, JsonObject], by: str) -> list[JsonObject]:
    """Each other row against the first, on the users that both have."""
    (best, first), *others = labelled.items()
    theirs = dict(zip(first["per_user"]["users"], first["per_user"][by], strict=True))
    made = {}
    for label, results in others:
        own = dict(zip(results["per_user"]["users"], results["per_user"][by], strict=True))
        shared = [user for user in theirs if user in own]
        a, b = (np.array([scores[user] for user in shared]) for scores in (own, theirs))
        seed = results["options"]["specificity"]["seed"]
        made[label] = compare(a, b, seed, DRAWS)
    corrected = holm({label: pair.p for label, pair in made.items()})
    return [
        {"a": label, "b": best, "metric": by, **pair.to_json(), "p": corrected[label]}
        | {"p_uncorrected": pair.p}
        for label, pair in made.items()
    ]
