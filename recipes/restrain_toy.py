"""The arms of the recipe on learning without labels, in a world of right and wrong majorities.

All arms of a seed have the same world, the same coins and as many rollouts a step. A seed is the
unit of comparison, since the prompts of one world learn from each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
from evidence import Evidence

from tastemaker.metrics.comparisons import Difference
from tastemaker.metrics.intervals import interval
from tastemaker.reinforce.lean import LeanConfig, learn
from tastemaker.reinforce.linear import LinearPolicy
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import LABEL_FREE, SignalConfig
from tastemaker.worlds.voters import KINDS, VoterOptions, voters

TRAINING = LeanConfig(lr=2.0, steps=300)
"""Set so that gold labels are learnt, before any other arm but TTRL was looked at."""
OURS = RestrainConfig(normalise_prompt_weights="mean", forced=True)
"""Weights of prompts of mean 1: else the arm mostly learns more slowly than the others."""
SIGMAS = (0.1, 0.2, 0.25, 0.35, 0.5, 1.0)
LESS = 0.02
METRICS = ("pass@1", *(f"pass@1 {kind}" for kind in KINDS), "pass@1 held out", "distinct",
           "entropy", "pull", "penalised", "commonest")  # fmt: skip


def width_of(sigma: float) -> str:
    """Name of an arm of the sweep."""
    return "RESTRAIN" if sigma == OURS.sigma_at(TRAINING.rollouts) else f"sigma {sigma:g}"


def arms(training: LeanConfig) -> dict[str, LeanConfig | None]:
    """Name → how it learns; None: not at all."""

    def votes(config: RestrainConfig, learns: LeanConfig = training) -> LeanConfig:
        return replace(learns, dials=SignalConfig(config))

    raw = replace(OURS, normalise_prompt_weights="off")
    usual = OURS.sigma_at(training.rollouts)
    online, alike = (replace(training, weights=weights) for weights in ("online", "none"))
    return {
        "untrained": None,
        "gold": replace(training, signal="gold"),
        **{name: replace(training, signal=name) for name in LABEL_FREE if name != "restrain"},
        **{width_of(sigma): votes(replace(OURS, sigma=sigma)) for sigma in SIGMAS},
        "uniform labels": votes(replace(OURS, sigma=math.inf, prompt_sigma=usual)),
        "no penalty": votes(replace(OURS, kappa=0)),
        "no prompt weights": votes(OURS, alike),
        "online prompt weights": votes(OURS, online),
        "kappa 5": votes(replace(OURS, kappa=5)),
        "kappa 5, no prompt weights": votes(replace(OURS, kappa=5), alike),
        "no penalty, no prompt weights": votes(replace(OURS, kappa=0), alike),
        "not normalised": votes(replace(OURS, normalise="none")),
        "raw": votes(raw),
        "raw, eight times as long": votes(raw, replace(training, steps=8 * training.steps)),
        "raw, online": votes(raw, online),
    }


def raw_sweep(training: LeanConfig) -> dict[str, LeanConfig | None]:
    """Sigma → how RESTRAIN learns with prompt weights as in the paper."""
    raw = replace(OURS, normalise_prompt_weights="off")
    return {
        f"{sigma:g}": replace(training, dials=SignalConfig(replace(raw, sigma=sigma)))
        for sigma in SIGMAS
    }


def measured(config: LeanConfig | None, seed: int) -> dict[str, np.ndarray]:
    """One arm in the world of one seed: what it answers in the end, and the mean of its monitors.

    Args:
        config: How it learns; None: not at all.
        seed: Of the world and of the coins.
    """
    world = voters(VoterOptions(seed=seed))
    policy = LinearPolicy(world.chances, world.features)
    prompts, correct = torch.arange(2 * world.prompts), torch.from_numpy(world.correct)
    learnt = slice(0, world.prompts)
    seen = (
        learn(policy, prompts[learnt], replace(config, seed=seed), correct[learnt])
        if config
        else []
    )
    with torch.no_grad():
        right = (
            policy.distribution(prompts).exp().gather(1, correct[:, None])[:, 0].double().numpy()
        )
    found = {"pass@1": right[learnt], "pass@1 held out": right[world.prompts :]}
    found |= {f"pass@1 {kind}": right[learnt][world.of_kind(kind)] for kind in KINDS}
    for name in METRICS[-5:] if seen else ():
        found[name] = np.array([np.mean([getattr(one, name) for one in seen])])
    return found


def gather(found: Evidence, learners: Mapping[str, LeanConfig | None]) -> None:
    """Add every arm and seed."""
    for arm, config in learners.items():
        for seed in found.seeds:
            found.add(arm, measured(config, seed))


def less(found: Evidence, arm: str) -> str:
    """Add an arm two points below another, and say its name."""
    name = f"{arm} less two points"
    for values in found.values[arm]["pass@1"]:
        found.add(name, {"pass@1": values - LESS})
    return name


def means(found: Evidence, arm: str, metric: str) -> np.ndarray:
    """One value a seed."""
    return np.array([one.mean() for one in found.values[arm][metric]])


def relate(found: Evidence, key: str, claim: str, pair: tuple[str, str], metric: str) -> None:
    """State that the first of a pair is above the second, seed by seed."""
    above, below = (means(found, arm, metric) for arm in pair)
    apart = above - below
    cell = interval(apart)
    said = Difference(
        difference=cell.mean,
        ci95=cell.ci95,
        per_seed=tuple(map(float, apart)),
        reference=float(below.mean()),
    )
    found.state(key, claim, *pair, metric, said)
