"""What the recipe on video budgets claims of its runs: of factors, questions, forms and data."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from evidence import Evidence
from video_budget_sweep import QUICK, budgets_of, called, star

from tastemaker.embed.video_budget import fit_law
from tastemaker.embed.video_checks import agreement, left_out
from tastemaker.embed.video_file import VideoFit
from tastemaker.embed.video_forms import EXAMPLES, FACTORS, FORMS, Floats
from tastemaker.embed.video_points import VideoPoints
from tastemaker.embed.video_runs import Cell, SweepConfig, World
from tastemaker.errors import BadInput
from tastemaker.metrics.comparisons import Difference
from tastemaker.run.video import frontier_of
from tastemaker.run.video_sweep import model_size
from tastemaker.worlds.clips import NEEDS, Asked

SCORE, GAIN, OFF, MOVES = "accuracy", "gain a doubling", "share off", "elasticity"
STILL = "sizes that stay"
OTHERS = {"naive": "the largest model that fits", "median": "the median"}
"""Arm beside the frontier → what it is."""


def _right(found: Evidence, cell: Cell) -> Floats:
    """(S, Q) whether each seed answered each question."""
    return np.stack(found.values[called(cell)][SCORE])


def _gained(found: Evidence, name: str, less: Cell, more: Cell) -> Floats:
    """(S, Q) what a doubling of a factor adds between two cells."""
    doublings = np.log2(vars(more)[name] / vars(less)[name])
    return (_right(found, more) - _right(found, less)) / doublings


def right(line: dict[str, Any], world: World) -> Floats:
    """Which questions a run answered."""
    bits = np.unpackbits(np.frombuffer(base64.b64decode(line["right"]), np.uint8))
    return bits[: len(world.asked)].astype(np.float64)


def factors(found: Evidence, star: dict[str, list[Cell]]) -> None:
    """R2: more of each factor is better, and the last step adds less than the first."""
    for name, row in star.items():
        low, high = (vars(row[place])[name] for place in (0, -1))
        claim = f"{name} {high} answers more than {low}"
        found.relate("R2", claim, called(row[-1]), called(row[0]))
        steps = {
            f"{name} {vars(less)[name]} → {vars(more)[name]}": _gained(found, name, less, more)
            for less, more in zip(row, row[1:], strict=False)
        }
        for arm, seeds in steps.items():
            for gained in seeds:
                found.add(arm, {GAIN: gained})
        first, last = list(steps)[0], list(steps)[-1]
        if first != last:
            found.relate("R2", f"{first} adds more than {last}", first, last, GAIN)


def wishes(found: Evidence, star: dict[str, list[Cell]], asked: Sequence[Asked]) -> None:
    """R4: questions of time gain more from frames than from tokens, those of detail less."""
    needs = np.array([NEEDS[one.kind] for one in asked])
    kinds = np.array([one.kind for one in asked])
    gains = {name: _gained(found, name, row[0], row[-1]) for name, row in star.items()}
    found.tables["gain a doubling, by question"] = {
        str(kind): {name: float(gained[:, kinds == kind].mean()) for name, gained in gains.items()}
        for kind in dict.fromkeys(kinds)
    }
    for need in ("time", "detail"):
        for name in ("frames", "tokens"):
            for gained in gains[name][:, needs == need]:
                found.add(f"{name}, questions of {need}", {GAIN: gained})
        more, less = ("frames", "tokens") if need == "time" else ("tokens", "frames")
        arms = [f"{name}, questions of {need}" for name in (more, less)]
        claim = f"questions of {need} gain more from {more} than from {less}"
        found.relate("R4", claim, *arms, GAIN)


def star_of(
    config: SweepConfig, lines: Sequence[dict[str, Any]], world: World, size: str
) -> Evidence:
    """What each factor adds in the sweep's star: one run at each number of examples."""
    measures, seeds = [SCORE, GAIN], config.examples
    found = Evidence("video_factors", "arXiv 2505.18855", "moving things", size, seeds, measures)
    rows = star(config)
    for cell in dict.fromkeys(cell for row in rows.values() for cell in row):
        for n in config.examples:
            same = vars(replace(cell, examples=n)).items()
            (line,) = [line for line in lines if same <= line.items()]
            found.add(called(cell), {SCORE: right(line, world)})
    factors(found, rows)
    wishes(found, rows, world.asked)
    found.notes.append("numbers of examples stand in the place of seeds: one run of each")
    found.cpu_seconds = sum(line["cpu_seconds"] for line in lines)
    return found


def forms(found: Evidence, points: VideoPoints) -> None:
    """R5: cells held out, by each form; each seed parts them anew."""
    table = found.tables.setdefault("cells held out", {})
    for form in FORMS:
        try:
            told = [left_out(points, replace(QUICK, form=form, seed=seed)) for seed in found.seeds]
        except BadInput as refused:
            found.notes.append(f"{form}: {refused.what}")
            continue
        for own in told:
            found.add(form, {OFF: np.abs(own - points.error) / points.error})
        agreed = [agreement(own, points.error) for own in told]
        table[form] = {name: float(np.mean([vars(one)[name] for one in agreed]))
                       for name in ("percent", "mse", "r2")}  # fmt: skip
    for other in ("add-interact", "add-interact-s", "add"):
        if {"mult", other} <= table.keys():
            found.relate("R5", f"mult is further off than {other}", "mult", other, OFF)
    if "add-interact" in table:
        claim = "add is further off than add-interact"
        found.relate("R5", claim, "add", "add-interact", OFF)


def beyond(found: Evidence, points: VideoPoints, lines: Sequence[dict[str, Any]]) -> None:
    """How far each form is off on cells that it was not fitted to, each the mean of its seeds."""
    errors: dict[tuple[float, ...], list[float]] = {}
    for line in lines:
        sizes = (model_size(line), *(line[name] for name in FACTORS[1:]))
        cell = tuple(map(float, sizes))
        errors.setdefault(cell, []).append(1 - float(np.mean(list(line["scores"].values()))))
    known = set(map(tuple, points.factors.tolist()))
    new = np.array([cell for cell in errors if cell not in known])
    if not len(new):
        return
    measured = np.array([np.mean(errors[tuple(cell)]) for cell in new.tolist()])
    table = found.tables.setdefault("cells that the sweep has not", {})
    for form in found.tables["cells held out"]:
        law = fit_law(points, replace(QUICK, form=form))
        told = agreement(law.predict(new[:, :3], new[:, 3]).error, measured)
        table[form] = {"percent": told.percent, "cells": float(told.points)}


def moves(found: Evidence, points: VideoPoints, fit: VideoFit) -> None:
    """R6: how the best sizes move with data, over budgets and examples, by bootstrap of runs."""
    spent, grid = fit.cost.flops(fit.grid), fit.grid
    budgets = np.geomspace(1.2 * spent.min(), 0.9 * spent.max(), 12)
    sizes = np.geomspace(points.n.min(), points.n.max(), 5)
    laws = [fit_law(points, replace(fit.law.config, seed=seed)) for seed in found.seeds]
    moved = np.stack([law.elasticities(budgets, sizes, grid, fit.cost) for law in laws])
    for _ in found.seeds:
        found.add(STILL, {MOVES: np.zeros(1)})
    for name, own in zip(FACTORS, np.moveaxis(moved, 2, 0), strict=False):
        arm, falls = f"elasticity of {name}", name == "parameters"
        for refits in own:
            found.add(arm, {MOVES: refits})
        gap = -own if falls else own
        mean, (low, high) = float(gap.mean()), np.quantile(gap, (0.025, 0.975)).tolist()
        ends = (min(low, mean), max(high, mean))  # a mean of a few far refits may lie outside
        seeds = tuple(gap.mean(axis=1).tolist())
        told = Difference(difference=mean, ci95=ends, per_seed=seeds, reference=0.0)
        claim = f"with more data the best has {'fewer' if falls else 'more'} {name}"
        found.state("R6", claim, *((STILL, arm) if falls else (arm, STILL)), MOVES, told)


def frontiers(found: Evidence, fit: VideoFit) -> None:
    """What the law chooses at each budget and number of examples, and curves in between."""
    budgets = budgets_of(fit.cost.flops(fit.grid))
    low, high = fit.law.ends[:, EXAMPLES]
    middle = float(np.sqrt(low * high))
    rows = found.tables.setdefault("what the law chooses", {})
    for n in dict.fromkeys((low, middle, high)):
        best = fit.law.frontier(np.array(list(budgets.values())), n, fit.grid, fit.cost)
        for name, one in zip(budgets, best, strict=True):
            sizes = dict(zip(FACTORS[:EXAMPLES], fit.grid[one.place].tolist(), strict=True))
            band = {"least": one.band[0], "most": one.band[1]}
            rows[f"{name}, n = {n:,.0f}"] = {**sizes, "error": one.error, **band}
    found.curves = frontier_of(fit, middle)["curves"]
