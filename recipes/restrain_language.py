"""The arms of the recipes in which a small language model learns from its own answers.

It learns by the product's reinforcement. All arms of a seed start at the same weights, and have the
same prompts, draws and rollouts a step.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from evidence import Evidence
from restrain_pretrained import Small, Task, pretrained

from tastemaker import files, pointers, records
from tastemaker.reinforce.answers import Answers
from tastemaker.reinforce.checkpoints import MODEL
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.policy import Policy, open_policy
from tastemaker.reinforce.prompts import Prompt
from tastemaker.reinforce.reading import Reading
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import SignalConfig
from tastemaker.run.reinforce import reinforce
from tastemaker.run.reinforce_results import Exercise, ReinforceConfig
from tastemaker.train.checkpoints import load_weights

ARMS = {
    "gold": ("gold", RestrainConfig()),
    "ttrl": ("ttrl", RestrainConfig()),
    "RESTRAIN": ("restrain", RestrainConfig(normalise_prompt_weights="mean")),
    "raw": ("restrain", RestrainConfig()),
    "random": ("random", RestrainConfig()),
}
"""Name → signal and dials; `raw` has prompt weights as in the paper, RESTRAIN those of mean 1."""
MONITORS = ("entropy", "pull", "penalised", "commonest", "correlation", "length")
"""Of a training; means over its last quarter."""
PART = "pass@1 misled"
"""Of the prompts that texts answer wrong in one way more often than right."""
METRICS = ("pass@1", PART, "exact", "parsed", "distinct", *MONITORS)
CURVES = ("held_out", "majority", "distinct", "entropy", "unreadable")


def taught(out: Path, model: Path, arm: str, task: Task, learning: LearningConfig) -> Policy:
    """The model as an arm leaves it; a run that was begun goes on.

    Args:
        out: Folder of the run.
        model: As it was before.
        arm: Of `ARMS`; any other name: it stays as it is.
        task: Prompts to learn from and to look at.
        learning: How, and by which seed.
    """
    policy = open_policy(model, 0, learning.seed)
    if arm in ARMS:
        name, votes = ARMS[arm]
        config = ReinforceConfig(
            str(model), name, 0, learning, SignalConfig(restrain=votes, seed=learning.seed),
            check_every=max(1, learning.steps // 8),
        )  # fmt: skip
        with Answers() as answers:
            both = exercise("learnt", task.learnt), exercise("looked at", task.looked)
            reinforce(config, *both, Reading(answers), str(out), (out / "config.json").is_file())
        # A model that got worse is not kept, and what became of it is the question here.
        newest = pointers.pointed(out / "checkpoints" / "latest")
        assert newest is not None
        load_weights(policy.model, newest / MODEL)
    return policy


def replies(policy: Policy, prompts: Sequence[Prompt], learning: LearningConfig) -> list[list[str]]:
    """Sixteen answers to each prompt, at temperature .6."""
    asked = [prompt.messages for prompt in prompts]
    return [*policy.answers(asked, 16, 0.6, learning.max_tokens, learning.seed)]


def gather(
    found: Evidence, task: Task, small: Small, learning: LearningConfig, part: npt.NDArray[np.bool_]
) -> dict[str, list[list[str]]]:
    """Add every arm and seed: replies to held-out prompts, and what was watched.

    Args:
        found: Where they are added.
        task: What is asked.
        small: The model before.
        learning: How it is reinforced.
        part: Of the held-out prompts those that `PART` is of.

    Returns:
        Arm → replies to each held-out prompt, those of one seed after those of another.
    """
    files.make_folder(found.cache)
    said: dict[str, list[list[str]]] = {}
    for arm in ("untrained", *ARMS):
        for seed in found.seeds:
            began, path = time.process_time(), found.cache / f"{arm}-seed-{seed}.json"
            run, own = found.cache / f"{arm}-seed-{seed}", replace(learning, seed=seed)
            if not path.is_file():
                model = pretrained(found.cache / f"pretrained-seed-{seed}", task, small, seed)
                policy = taught(run, model, arm, task, own)
                files.write_json(path, {"replies": replies(policy, task.held_out, own)})
                found.spent(time.process_time() - began)
            rows = files.read_json(path)["replies"]
            said.setdefault(arm, []).extend(rows)
            own_measures = measures(rows, task.held_out)
            found.add(arm, own_measures | {PART: own_measures["pass@1"][part]} | watched(run))
    for curve in CURVES:
        found.tables[f"{curve} by step"] = {arm: _curve(found, arm, curve) for arm in ARMS}
    found.spent(0.0)
    return said


def measures(rows: Sequence[Sequence[str]], prompts: Sequence[Prompt]) -> dict[str, np.ndarray]:
    """Of each prompt the shares of right answers and readable ones, and how many differ.

    `exact` is the share of right ones among the readable; among none it is 0.
    """
    with Answers() as answers:
        kinds, golds = [one.kind for one in prompts], [[one.gold] for one in prompts]
        read = Reading(answers)(rows, golds, kinds)
    right = np.array([[one is not None and one == row[-1] for one in row[:-1]] for row in read])
    there = np.array([[one is not None for one in row[:-1]] for row in read])
    distinct = [len({one for one in row[:-1] if one is not None}) for row in read]
    return {
        "pass@1": right.mean(1),
        "exact": right.sum(1) / there.sum(1).clip(1),
        "parsed": there.mean(1),
        "distinct": np.array(distinct, np.float64),
    }


def stated(found: Evidence, claims: Sequence[tuple[str, str, str, str, str]]) -> None:
    """Compare arms prompt by prompt, and say what a reader must know of all of them."""
    for claim in claims:
        found.relate(*claim)
    found.notes.append("RESTRAIN's arms also ask the untrained model 16 times a prompt")


def watched(run: Path) -> dict[str, np.ndarray]:
    """Means of monitors over the last quarter of a training; nothing where there was none."""
    lines = records.read(run / "metrics.jsonl")
    last = lines[len(lines) * 3 // 4 :]
    values = {
        name: [float(line[name]) for line in last if line.get(name) is not None]
        for name in MONITORS
    }
    return {name: np.array([np.mean(own)]) for name, own in values.items() if own}


def _curve(found: Evidence, arm: str, name: str) -> dict[str, float]:
    """A monitor at each eighth of the training, mean over seeds."""
    seeds = [
        {str(line["step"]): float(line[name]) for line in lines if line.get("held_out") is not None}
        for lines in (
            records.read(found.cache / f"{arm}-seed-{seed}" / "metrics.jsonl")
            for seed in found.seeds
        )
    ]
    return {step: float(np.mean([one[step] for one in seeds])) for step in seeds[0]}


def exercise(name: str, prompts: Sequence[Prompt]) -> Exercise:
    """Prompts that are made and lie in no file, known by what they are."""
    told = json.dumps([(one.id, one.messages, one.gold) for one in prompts])
    return Exercise(name, prompts, hashlib.sha256(told.encode()).hexdigest())
