"""Results of GISTBench: from the samples of a run alone to scores with intervals.

The user is the cluster: every interval is a bootstrap over users. What is a mean over users is
resampled as such; what is a share of interests or of cited ids is the ratio of two sums, both taken
over the same resampled users.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from tastemaker import files
from tastemaker.errors import ArtefactError
from tastemaker.files import JsonObject
from tastemaker.metrics.intervals import intervals
from tastemaker.understand import samples
from tastemaker.understand.agreement import fleiss_kappa
from tastemaker.understand.asked import Call
from tastemaker.understand.evidence_results import evidence_results
from tastemaker.understand.gistbench_folder import CONFIG
from tastemaker.understand.interests import Mode
from tastemaker.understand.samples import Sample
from tastemaker.understand.scores import SCORES, Checked, UserScore, check, score_user
from tastemaker.understand.specificity import picked

RESULTS = "results.json"
DRAWS = 2_000
"""Bootstrap resamples."""
_NEEDS_ORACLE = ("ig_r", "ig_r_raw", "ig_f1", "ig_f1_without_other", "hm")


def score(folder: Path) -> JsonObject:
    """Score a run, finished or not, and write its `results.json`.

    Args:
        folder: Of `gistbench.run`.

    Returns:
        What was written: whose run it is and by which hashes, `scores` by name with mean and 95 %
        interval or null, `evidence` and `counting`, Fleiss' kappa of a judge's repeats, failures,
        tokens, seconds, cost, `per_user`.

    Raises:
        ArtefactError: If the folder is no run, or its files are damaged.
    """
    config, everyone = files.read_json(folder / CONFIG), samples.read(folder)
    try:
        mode: Mode = config["options"]["mode"]
        seed: int = config["options"]["specificity"]["seed"]
        whose = {name: config[name] for name in _WHOSE}
    except (KeyError, TypeError):
        got, fix = "other contents", "Name the folder of a run of this benchmark."
        where, what = str(folder / CONFIG), "File has the wrong shape"
        raise ArtefactError(where, what, "the configuration of a run", got, fix) from None
    asked = [one for one in everyone if not one.excluded]
    by_number = config["taxonomy_sha256"] is not None
    rows = [numbers_of(one, score_sample(one, mode, by_number)) for one in asked]
    results = {
        **whose,
        "mode": mode,
        "options": config["options"],
        "users": _users(asked, everyone),
        "scores": _scores(rows, seed),
        **evidence_results(asked, seed, DRAWS),
        "kappa": fleiss_kappa([vote for one in asked for vote in one.votes]),
        "failures": _failures(asked),
        **_spent(asked),
        "per_user": {
            "users": [one.user for one in asked],
            **{name: [row[name] for row in rows] for name in SCORES},
        },
    }
    files.write_json(folder / RESULTS, results)
    return results


_WHOSE = ("format", "task", "oracle_sha256", "taxonomy_sha256", "model", "judge")


def score_sample(one: Sample, mode: Mode, by_number: bool) -> UserScore:
    """IG, IS and HM of one user.

    Args:
        one: What was learned of the user.
        mode: How it is counted.
        by_number: Whether categories are numbers of a taxonomy; else each interest is a category of
            its own, and of the oracle only how many it knows can be compared.
    """
    known = one.known or ()
    checked = checked_interests(one, mode)
    return score_user(one.user, checked, known if by_number else len(known), one.judged, mode)


def checked_interests(one: Sample, mode: Mode) -> list[Checked]:
    """The verdict on each interest of a user."""
    interests = [each.interest for each in one.interests]
    relevant = [each.relevant for each in one.interests] if one.judged else None
    checked = check(one.signals, interests, [each.category for each in one.interests], relevant)
    if not one.judged:
        return checked
    return [
        replace(done, picked=picked(each.shown, each.picks or (), done.relevant or (), mode))
        for done, each in zip(checked, one.interests, strict=True)
    ]


def numbers_of(one: Sample, scored: UserScore) -> dict[str, float | None]:
    """Scores by name; without an oracle those that need one are not known."""
    numbers = scored.numbers
    if one.known is None:
        numbers |= dict.fromkeys(_NEEDS_ORACLE)
    return numbers


def _scores(rows: Sequence[Mapping[str, float | None]], seed: int) -> JsonObject:
    """Mean and interval of each score; null where it is not known of every user.

    `pick_precision` is of the users of whose line-ups something was picked.
    """
    known = {name: [row[name] for row in rows if row[name] is not None] for name in SCORES}
    table = {name: np.array(values, np.float64) for name, values in known.items()}
    whole = {name: values for name, values in table.items() if 0 < len(values) == len(rows)}
    cells = intervals(whole, seed, DRAWS)
    some = table["pick_precision"]
    if 0 < len(some) < len(rows):
        cells |= intervals({"pick_precision": some}, seed, DRAWS)
    return {
        name: {"mean": cells[name].mean, "ci95": list(cells[name].ci95), "users": cells[name].users}
        if name in cells
        else None
        for name in SCORES
    }


def _users(asked: Sequence[Sample], everyone: Sequence[Sample]) -> JsonObject:
    """How many are scored, and a hash of them; of how many nothing was written, all being well."""
    names = json.dumps(sorted(one.user for one in asked)).encode()
    return {
        "scored": len(asked),
        "silent": sum(not one.interests and not one.problem for one in asked),
        "excluded": [one.user for one in everyone if one.excluded],
        "sha256": hashlib.sha256(names).hexdigest(),
    }


def _failures(asked: Sequence[Sample]) -> JsonObject:
    """What could not be had; none of it stopped the run."""
    return {
        "users": sum(one.failed for one in asked),
        "users_in_part": sum(bool(one.problem) and not one.failed for one in asked),
        "users_unjudged": sum(bool(one.judge_problem) for one in asked),
        "interests": sum(bool(each.problem) for one in asked for each in one.interests),
        "relevance": sum(
            each.relevant is None for one in asked if one.judged for each in one.interests
        ),
        "picks": sum(each.picks is None for one in asked if one.judged for each in one.interests),
        "nameless": sum(one.nameless for one in asked),
        "unfiltered": sum(one.unfiltered for one in asked),
    }


def _spent(asked: Sequence[Sample]) -> JsonObject:
    """Tokens, seconds and cost of the model and of the judge, every reply counted."""
    calls = {
        "model": [call for one in asked for call in one.calls],
        "judge": [call for one in asked for call in one.judge_calls],
    }
    return {
        "tokens": {who: _tokens(several) for who, several in calls.items()},
        "seconds": {who: _sum(several, "seconds") for who, several in calls.items()},
        "cost": {who: _sum(several, "cost") for who, several in calls.items()},
    }


def _tokens(calls: Sequence[Call]) -> JsonObject:
    replies = [reply for call in calls for reply in call.replies]
    return {
        "requests": len(replies),
        "prompts": sum(reply.prompt_tokens for reply in replies),
        "replies": sum(reply.tokens for reply in replies),
        "cut": sum(not reply.finished for reply in replies),
    }


def _sum(calls: Sequence[Call], name: str) -> float:
    return float(sum(vars(reply)[name] for call in calls for reply in call.replies))
