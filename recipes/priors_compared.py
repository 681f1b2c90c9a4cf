"""All arms of the recipe on heads of human priors, with all seeds: lists, measures and margins."""

from __future__ import annotations

import sys
from collections.abc import Mapping

import numpy as np
from evidence import Evidence
from priors_arms import MERGES, Arm, Setting, Study, merging
from priors_measures import (
    EXPLORERS,
    LONG,
    WORST,
    Answers,
    Bench,
    Int32s,
    answers,
    diversified,
    weight_for,
    worst_group,
)

from tastemaker.metrics.headline import K
from tastemaker.recommend.prior_merge import Merge

KEPT, MOST_LOST = 0.98, 0.9
"""Shares of the backbone's accuracy that heads must keep: over all users, and within a category."""

CLAIMS = (
    ("R1", "heads lose less than 2 % of the backbone", "PRIOR", f"{KEPT} × BASE", "ndcg@10"),
    ("R1", "heads gain on the backbone", "PRIOR", "BASE", "ndcg@10"),
    ("R1", "heads gain on heads of shuffled labels", "PRIOR", "RANDOM", "ndcg@10"),
    ("R2", "lists are of more categories", "PRIOR", "BASE", "entropy@10"),
    ("R2", "and better than lists diversified as far", "PRIOR", "RERANK", "ndcg@10"),
    ("R3", "heads serve better who takes up a category", "PRIOR", "BASE", EXPLORERS),
    ("R4", "heads of shuffled labels gain too", "RANDOM", "BASE", "ndcg@10"),
)  # fmt: skip
"""What is claimed of all heads, whatever they are taught."""


def relate(
    found: Evidence, claims: tuple[tuple[str, str, str, str, str], ...], merge: Merge, worst: str
) -> None:
    """State all claims in their order, how merges compare, and the category that loses most."""
    for key, claim, a, b, metric in sorted((*CLAIMS, *claims)):
        found.relate(key, claim, a, b, metric)
    for other in MERGES:
        if other != merge:
            found.relate("R8", f"{merge} ranks better than {other}", "PRIOR", f"PRIOR, {other}")
    claim = f"no category loses more than 10 %; most does {worst}"
    found.relate("R9", claim, "PRIOR", f"{MOST_LOST} × BASE", WORST)
    for arm, heads in found.tables["share of the top ten by head"].items():
        said = ", ".join(f"{head} {share:.3f}" for head, share in heads.items())
        sys.stdout.write(f"share of the top ten, {arm}: {said}\n")


def measure(
    found: Evidence,
    study: Study,
    setting: Setting,
    arms: Mapping[str, Arm],
    once: Mapping[str, Arm],
) -> str:
    """Train or read back every arm, add its measures; returns the category that loses most.

    Args:
        found: Where measures, tables and notes go.
        study: Data and trainings.
        setting: What validation chose.
        arms: Arms of all seeds.
        once: Arms of the first seed alone.
    """
    bench = Bench.of(study.cuts, study.groups)
    lists: dict[str, list[Int32s]] = {}
    shares: dict[str, list[dict[str, float]]] = {}
    for seed in found.seeds:
        for name, one in answered(study, setting, arms, bench, seed).items():
            lists.setdefault(name, []).append(one.lists)
            found.add(name, bench.columns(one.lists))
            if one.shares:
                shares.setdefault(name, []).append(one.shares)
    alone = {}
    for name, arm in once.items():
        model = merging(study.trained(name, arm, found.seeds[0]), setting.merge)
        one = answers(model, bench.queries, study.cuts)
        values = bench.columns(one.lists)
        alone[name] = {m: float(values[m].mean()) for m in found.metrics if m in values}
        shares[name] = [one.shares]
    by_group, worst = worst_group(bench, lists, "PRIOR", "BASE")
    margins(found, bench, lists, worst)
    found.tables = {
        "validation with the first seed": {k: {"ndcg@10": v} for k, v in setting.tried.items()},
        "one seed": alone,
        "share of the top ten by head": {
            "targets": bench.target_shares(),
            **{arm: mean_of(each) for arm, each in shares.items()},
        },
        "NDCG@10 by category": by_group,
        "training": study.trainings,
    }
    explorers = int(bench.explorers.sum())
    found.notes.append(
        f"{explorers} of {len(bench.queries)} users take something of a category that is new to "
        f"them; validation chose {setting.base.loss} loss for BASE, and for heads weights by "
        f"{setting.heads.weighting} and the merge {setting.merge}"
    )
    return bench.groups.names[worst]


def answered(
    study: Study, setting: Setting, arms: Mapping[str, Arm], bench: Bench, seed: int
) -> dict[str, Answers]:
    """The test lists of every arm with one seed, of PRIOR by every merge, and of BASE ranked again.

    RERANK has as many bits on validation as PRIOR has there.
    """
    valid = Bench.of(study.cuts, study.groups, "valid")
    found, bits = {}, 0.0
    for name, arm in arms.items():
        model = merging(study.trained(name, arm, seed), setting.merge)
        found[name] = answers(model, bench.queries, study.cuts)
        if name == "BASE":
            longer = answers(model, valid.queries, study.cuts, LONG)
            tested = answers(model, bench.queries, study.cuts, LONG)
        if name == "PRIOR":
            bits = float(valid.entropy(answers(model, valid.queries, study.cuts).lists).mean())
            for merge in MERGES:
                if merge != setting.merge:
                    other = answers(merging(model, merge), bench.queries, study.cuts)
                    found[f"PRIOR, {merge}"] = other
    weight = weight_for(valid, longer, bits)
    study.found.notes.append(f"RERANK, seed {seed}: a weight of {weight:.2f} on other groups")
    again = diversified(tested, study.groups.membership, weight)
    found["RERANK"] = Answers(again, tested.scores[:, :K], {})
    return found


def margins(found: Evidence, bench: Bench, lists: Mapping[str, list[Int32s]], worst: int) -> None:
    """Arms that stand for a part of the backbone's accuracy; the category that loses most."""
    for base, prior in zip(lists["BASE"], lists["PRIOR"], strict=True):
        found.add(f"{KEPT} × BASE", {"ndcg@10": KEPT * bench.columns(base)["ndcg@10"]})
        found.add(f"{MOST_LOST} × BASE", {WORST: MOST_LOST * bench.within(base, worst)})
        found.add("BASE", {WORST: bench.within(base, worst)})
        found.add("PRIOR", {WORST: bench.within(prior, worst)})


def mean_of(rows: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each entry over rows that all have it."""
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}
