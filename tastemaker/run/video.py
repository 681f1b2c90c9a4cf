"""Fitting a law to measured runs, planning with it, and drawing its frontier."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from tastemaker import files
from tastemaker.config import environment
from tastemaker.embed.video_budget import VideoFitConfig, VideoLaw, fit_law
from tastemaker.embed.video_checks import Agreement, agreement, cross_validated, dearest, held_out
from tastemaker.embed.video_continuous import Box, continuous
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_file import VideoFit, axes_of, open_fit, save_fit
from tastemaker.embed.video_forms import EXAMPLES, FACTORS, Floats
from tastemaker.embed.video_frontier import BAND, frontier
from tastemaker.embed.video_plan import PlanRequest, plan, sizes, with_axes
from tastemaker.embed.video_points import VideoPoints, read_points
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import JsonObject
from tastemaker.report.video import write_video_page

LOG = logging.getLogger(__name__)
_STARTS, _REFITS = 50, 20
"""Of the fits that check a law: there are many of them."""
_BUDGETS, _DRAWN = 12, 30
"""Points of a curve of the page, and refits that its bands are of."""


def fit_video(points: Path, out: Path, config: VideoFitConfig, cost: VideoCost) -> JsonObject:
    """Fit every task of a table, check the fit on runs that it has not seen, and save it.

    Args:
        points: Table of measured runs.
        out: File of the fit; one that stands there is replaced.
        config: How the law is fitted.
        cost: What a video costs.

    Returns:
        `fit` (the file), `form`, `points`, `tasks`, `checks`, `notes`.

    Raises:
        BadInput: On bad data, fewer runs than parameters, or a file that may not be replaced;
            nothing is written then.
    """
    refuse_place(out, points)
    measured, notes = read_points(points), []
    laws: dict[str, VideoLaw] = {}
    for name, runs in measured.tasks.items():
        LOG.info("fitting %s to %d runs: %s", config.form, len(runs), name)
        try:
            laws[name] = fit_law(runs, config)
        except BadInput as refused:
            if not laws:  # the mean over tasks, without which there is no plan
                raise
            notes.append(f"{name} is left out: {refused.what}")
    if config.refits < 2:
        notes.append("fewer than 2 refits: intervals and chances say nothing of how sure it is")
    runs = next(iter(measured.tasks.values()))
    checks = _checks(next(iter(laws.values())), runs, cost)
    fit = VideoFit(laws, cost, axes_of(runs), checks, (*measured.notes, *notes))
    save_fit(out, fit)
    return {
        "fit": str(out),
        "form": config.form,
        "points": len(runs),
        "parameters": len(fit.law.layout.names),
        "tasks": list(laws),
        "checks": checks,
        "notes": list(fit.notes),
    }


def refuse_place(out: Path, source: Path) -> None:
    """Refuse a file that cannot be written, or that what is read stands in; before any work.

    Raises:
        BadInput: Naming the file.
        OutOfResources: If its folder may not be written.
    """
    if out.is_dir():
        raise BadInput("This is a folder.", str(out), "Give the name of a file with --out.")
    if out.resolve() == source.resolve():
        fix = "Give another file with --out."
        raise BadInput("What is read would be replaced by what is made of it.", str(out), fix)
    inside = next(folder for folder in out.parents if folder.exists())
    if not inside.is_dir() or not os.access(inside, os.W_OK | os.X_OK):
        what = f"No file can be made in {str(inside)!r}."
        raise BadInput(what, str(out), "Give another file with --out.")


def _checks(law: VideoLaw, runs: VideoPoints, cost: VideoCost) -> JsonObject:
    """Agreement with runs that were fitted, left out by cell, and dearer than those fitted."""
    LOG.info("checking it on runs that it has not seen")
    config = replace(law.config, starts=_STARTS, refits=_REFITS)
    checks = {"fitted": agreement(law.predict(runs.x, runs.n).error, runs.error).to_json()}
    held = dearest(runs, cost.flops(runs.x))
    others: dict[str, Callable[[], Agreement]] = {
        "cross-validated": lambda: cross_validated(runs, config),
        "dearest fifth": lambda: held_out(runs, held, config),
    }
    for name, check in others.items():
        try:
            checks[name] = check().to_json()
        except BadInput as refused:
            LOG.info("%s: %s", name, refused.what)
    return checks


def plan_video(path: Path, request: PlanRequest, grid: Path | None = None) -> JsonObject:
    """The nine answers of `video_plan.plan`, with the request and the hash of the data.

    Args:
        path: File of a fit.
        request: Budget and examples.
        grid: JSON file of axes to search in place of those that were measured.

    Raises:
        ArtefactError: If the fit is damaged or none.
        BadInput: If the budget pays for nothing.
    """
    fit = _searched(open_fit(path), grid)
    about = {"fit": str(path), "form": fit.law.config.form, "data_sha256": fit.law.data_sha256}
    return {**about, **vars(request), **plan(fit, request)}


def _searched(fit: VideoFit, grid: Path | None) -> VideoFit:
    if grid is None:
        return fit
    files.refuse_unreadable(grid)
    fix = 'Give {"parameters": [1e9], "frames": [4, 8], "tokens": [16, 49]}.'
    try:
        axes = files.read_json(grid)
    except ArtefactError as refused:
        raise BadInput(refused.what, str(grid), fix) from None
    names = FACTORS[:EXAMPLES]
    if set(axes) != set(names) or not all(_numbers(axes[name]) for name in names):
        what = f"{', '.join(map(repr, axes)) or 'Nothing'} are no axes of a grid."
        raise BadInput(what, str(grid), fix)
    return with_axes(fit, tuple(tuple(axes[name]) for name in names))


def _numbers(axis: object) -> bool:
    return isinstance(axis, list) and all(type(value) in (int, float) for value in axis)


def plot_video(path: Path, examples: float, out: Path) -> JsonObject:
    """Draw the frontier and how it moves with data, as one page.

    Args:
        path: File of a fit.
        examples: Fine-tuning examples; the page also shows a quarter and four times as many.
        out: The page.

    Returns:
        `page`, and what it shows.

    Raises:
        ArtefactError: If the fit is damaged or none.
        BadInput: If `examples` is no number above 0, or the page cannot be written.
    """
    PlanRequest(1.0, examples)  # refuses what is none
    refuse_place(out, path)
    shown = frontier_of(open_fit(path), examples)
    about = {"fit": path.name, **environment()}
    files.make_folder(out.parent)
    files.write_text(out, write_video_page(shown | about))
    return {"page": str(out), **shown}


def frontier_of(fit: VideoFit, examples: float) -> JsonObject:
    """Least error and best sizes by budget, for three numbers of examples.

    `curves` are between the points of the grid, with the median over refits and a 90 % interval;
    `rows` are of the grid itself.
    """
    grid, cost = fit.grid, fit.cost.flops(fit.grid)
    budgets = np.geomspace(float(cost.min()) * 1.02, float(cost.max()), _BUDGETS)
    some = tuple(examples * times for times in (0.25, 1.0, 4.0))
    numbers = np.array(some if fit.law.active[EXAMPLES] else (examples,))
    low, high = fit.law.ends[:, EXAMPLES]
    rows = frontier(fit.law.refits, fit.cost, grid, budgets, examples)
    return {
        "form": fit.law.config.form,
        "points": fit.law.points,
        "data_sha256": fit.law.data_sha256,
        "examples": examples,
        "measured_examples": [float(low), float(high)],
        "drawn_examples": numbers.tolist(),
        "checks": fit.checks,
        "notes": list(fit.notes),
        "curves": {f"n = {n:,.10g}": _curves(fit, budgets, float(n)) for n in numbers},
        "rows": [
            {
                "budget": float(budget),
                **sizes(grid[row.place]),
                "error": row.error,
                "interval90": list(row.band),
                "flops": row.flops,
                "ties": len(row.ties),
            }
            for budget, row in zip(budgets, rows, strict=True)
        ],
    }


def _curves(fit: VideoFit, budgets: Floats, n: float) -> dict[str, list[list[float]]]:
    """`error`, `parameters`, `frames`, `tokens` → (budget, median, low, high) rows."""
    law = fit.law.refits
    few = type(law)(law.logs[:_DRAWN], law.powers[:_DRAWN])
    box = Box.of(fit.grid)
    x = continuous(few, fit.cost.powers(), budgets, np.array([n]), box)[:, 0]
    drawn: Mapping[str, Floats] = {
        "error": np.stack([np.diagonal(few(at, n)) for at in x]),
        **{name: x[:, :, k] for k, name in enumerate(FACTORS[:EXAMPLES])},
    }
    kept = np.isfinite(x).all(axis=(1, 2))
    return {
        name: [
            [float(budget), float(np.median(own)), *map(float, np.quantile(own, BAND))]
            for budget, own in zip(budgets[kept], values[kept], strict=True)
        ]
        for name, values in drawn.items()
    }
