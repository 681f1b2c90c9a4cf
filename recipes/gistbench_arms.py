"""The arms of the recipes on interests with evidence: planted users, models of a known quality.

CARELESS models know the truth and spoil it: with chance e an interest is left out, and with chance
e what proves an interest is other items of the history. Planted quality is 1 − e.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from evidence import Evidence
from scipy.stats import spearmanr

from tastemaker.data.declaration import POLARITIES
from tastemaker.data.signals import UserSignals
from tastemaker.metrics.intervals import resampled_means
from tastemaker.understand import gistbench, samples
from tastemaker.understand.asked import Judge, Understands, Written
from tastemaker.understand.evidence import check_evidence
from tastemaker.understand.gistbench_results import score_sample
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.samples import Sample
from tastemaker.understand.simulated import Simulated, chance, identity
from tastemaker.understand.task import Task
from tastemaker.understand.task_paths import planted_task
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

Floats = npt.NDArray[np.float64]
SHOWN = ("oracle", "popularity prior", "echo everything", "length limited", "no evidence")
HALF = "half of the categories"


@dataclass(frozen=True)
class Careless:
    """The oracle's interests, spoilt with a known chance."""

    oracle: Simulated
    errors: float

    @property
    def name(self) -> str:
        """As tables show it."""
        return f"careless {self.errors:g}"

    @property
    def identity(self) -> str:
        """Of the oracle and the chance."""
        return identity(self.oracle.identity, self.errors)

    def write(self, users: Sequence[UserSignals]) -> list[Written]:
        """What is left of the oracle's interests."""
        whole = self.oracle.write(users)
        return [self._spoilt(user, one) for user, one in zip(users, whole, strict=True)]

    def _spoilt(self, user: UserSignals, written: Written) -> Written:
        found = written.extracted
        kept = [
            replace(one, cited=self._cited(user, one.name, one.cited))
            for one in found.interests
            if chance("left out", user.user, one.name) >= self.errors
        ]
        return Written(replace(found, interests=tuple(kept)))

    def _cited(self, user: UserSignals, name: str, cited: tuple[str, ...]) -> tuple[str, ...]:
        if chance("evidence", user.user, name) >= self.errors:
            return cited
        others = [item for item in user.items if item not in cited]
        return tuple(sorted(others, key=lambda item: chance(user.user, name, item))[: len(cited)])


def asked(task: Task, model: Understands, judge: Judge | None) -> list[Sample]:
    """The samples of a run that is kept nowhere."""
    with tempfile.TemporaryDirectory() as folder:
        return samples.read(gistbench.run(task, model, judge, Path(folder) / "run"))


def numbers(found: Sequence[Sample]) -> dict[str, Floats]:
    """Scores by user, with the share of the user's categories that are named at all."""
    scored = [score_sample(one, "strict", by_number=True).numbers for one in found]
    table = {name: np.array([row[name] for row in scored], float) for name in scored[0]}
    known = [set(one.known or ()) for one in found]
    named = [{each.category for each in one.interests} for one in found]
    shares = [len(own & said) / len(own) for own, said in zip(known, named, strict=True)]
    return {name: np.nan_to_num(table[name]) for name in ("ig_p", "ig_r", "ig_f1", "is", "hm")} | {
        "named": np.array(shares)
    }


def counting_error(found: Sequence[Sample]) -> Floats:
    """(U,) claimed minus true numbers, absolute, of all polarities, a mean over interests."""
    errors = []
    for one in found:
        claims = check_evidence(one.signals, [each.interest for each in one.interests]).differences
        errors.append(np.abs(np.array(claims)).sum(1).mean() if claims else 0.0)
    return np.array(errors)


def by_itself(found: Sequence[Sample]) -> dict[str, Floats]:
    """What needs no judge, by user: IG at its best, evidence, and whether anything was read.

    Where nothing is cited, nothing is right: 0.
    """
    rows = []
    for one in found:
        scores = score_sample(one, "strict", by_number=False).numbers
        checked = check_evidence(one.signals, [each.interest for each in one.interests])
        gaps = np.abs(np.array(checked.differences, float)).reshape(-1, len(checked.kinds))
        row = {name: scores[name] for name in ("ig_p", "ig_r")}
        row |= {"validity": checked.validity or 0.0, "compliance": checked.compliance}
        row |= {"exact": (gaps == 0).mean() if len(gaps) else 0.0}
        rows.append(row | {"interests": checked.interests, "read": not one.failed})
    return {name: np.array([row[name] for row in rows], float) for name in rows[0]}


def simulated(
    found: Evidence, options: PlantedOptions, seed: int, errors: Sequence[float]
) -> tuple[Floats, Floats]:
    """All models of one world; (M, U) judge-free and judged IG of the careless ones."""
    planted = plant_users(replace(options, seed=seed))
    task = planted_task(planted)
    judge, noisy = PlantedJudge(planted), PlantedJudge(planted, noise=0.2)
    for name in SHOWN:
        scores = numbers(asked(task, Simulated(name, planted), judge))
        found.add(name, scores)
        if name == "length limited":
            found.add(f"{name}, precision", {"ig_p": scores["ig_p"]})
            found.add(f"{name}, recall", {"ig_p": scores["ig_r"]})
    found.add(HALF, {"named": np.full(options.users, 0.5)})
    free, judged = [], []
    for chance_of in errors:
        model = Careless(Simulated("oracle", planted), chance_of)
        found.add(model.name, numbers(asked(task, model, judge)))
        free.append(numbers(asked(task, model, None))["ig_f1"])
        judged.append(numbers(asked(task, model, noisy))["ig_f1"])
    return np.array(free), np.array(judged)


def miscounted(found: Evidence, users: int, seed: int, events: Sequence[int]) -> None:
    """The model of wrong counts in worlds of more items an interest, and of more polarities."""
    for kinds in (POLARITIES[1:3], POLARITIES):
        for many in events:
            options = PlantedOptions(users=users, events=many, kinds=kinds, seed=seed)
            planted = plant_users(options)
            model = Simulated("wrong counts", planted)
            error = counting_error(asked(planted_task(planted), model, None))
            found.add(f"wrong counts, {len(kinds)} polarities, {many} items", {"error": error})


def ranked(found: Evidence, names: Sequence[str], quality: Sequence[float], least: float) -> None:
    """R5: whether HM has models in the order of their quality, a mean over seeds; by users."""
    table = np.stack([np.stack(found.values[name]["hm"]) for name in names], 2)  # (S, U, M)
    seeds, users, models = table.shape
    drawn = resampled_means(table.transpose(1, 0, 2).reshape(users, -1))
    rows = np.vstack([table.mean(1).reshape(1, -1), drawn]).reshape(-1, seeds, models)
    each = np.array([[spearmanr(quality, one)[0] for one in row] for row in rows])
    low, high = (float(end) - least for end in np.percentile(each[1:].mean(1), [2.5, 97.5]))
    arm, bar = "models in order of HM", f"{least}"
    found.values[arm] = {"rho": [np.array([rho]) for rho in each[0]]}
    found.values[bar] = {"rho": [np.array([least])] * seeds}
    held = low > 0 and np.mean(each[0] > least) >= 0.8
    found.relations.append(
        {
            "id": "R5",
            "claim": "the order of HM is that of known quality: rank correlation",
            "a": arm,
            "b": bar,
            "metric": "rho",
            "difference": float(each[0].mean()) - least,
            "ci95": [low, high],
            "per_seed": [float(rho) - least for rho in each[0]],
            "verdict": "holds" if held else "fails" if high < 0 else "undecided",
        }
    )


def agreement(free: Floats, judged: Floats) -> str:
    """R6: rank correlation of judge-free and judged IG over users and models, with interval."""
    rng, many = np.random.default_rng(0), free.shape[1]
    rho = float(spearmanr(free.ravel(), judged.ravel())[0])
    picks = rng.integers(0, many, (1000, many))
    drawn = [spearmanr(free[:, one].ravel(), judged[:, one].ravel())[0] for one in picks]
    low, high = np.percentile(drawn, [2.5, 97.5])
    said = "R6: judge-free IG and that of a judge who errs, rank correlation"
    return f"{said} {rho:.2f} [{low:.2f}, {high:.2f}]"
