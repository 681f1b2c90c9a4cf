"""Finished runs: evaluated again, or compared user by user."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tastemaker import files
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.splits import split
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.metrics.comparisons import compare
from tastemaker.metrics.evaluate import evaluate
from tastemaker.metrics.headline import options_of
from tastemaker.options import HEADLINE
from tastemaker.run.folder import RESULTS, USERS, finished_folder, verify_run
from tastemaker.run.results import metrics_of
from tastemaker.run.saved import open_run


def evaluate_run(run: str | Path, model: str = "") -> JsonObject:
    """Rank the test users again with a run's saved models.

    Returns:
        `models`, `best` and `why` as in `results.json`, freshly computed.

    Raises:
        BadInput: If the run has no such model.
    """
    saved = open_run(run)
    cuts = split(saved.interactions, saved.config["split"])
    queries = cuts.queries("test")
    scoring = options_of(cuts, not saved.config["repeats"])
    names = [model] if model else saved.models.names
    log = saved.interactions
    ground = Ground.of(log.item_ids, saved.catalog, event_names=log.event_names)
    grouping = ground.groupings.get(CATEGORY)
    metrics = {
        name: metrics_of(evaluate(saved.models.get(name), queries, scoring), cuts, grouping)
        for name in names
    }
    best, why = saved.results["best"], saved.results["why"]
    return {"run": str(run), "models": metrics, "best": best, "why": why}


def compare_runs(
    run: str | Path, against: str | Path, model: str = "", metric: str = HEADLINE
) -> JsonObject:
    """Paired comparison of two finished runs on the same test users.

    Args:
        run: A run directory.
        against: Another.
        model: A model of `run`; empty: the one it recommends with.
        metric: What is compared, such as `hr@10`.

    Raises:
        BadInput: If the runs were not evaluated on the same data and split.
    """
    sides = []
    for place, asked in ((run, model), (against, "")):
        path, folder = Path(place), finished_folder(Path(place))
        verify_run(folder)
        results = files.read_json(folder / RESULTS)
        chosen = asked or results["best"]
        users = pl.read_parquet(folder / USERS, glob=False).filter(pl.col("model") == chosen)
        if not len(users) or metric not in users.columns:
            known = ", ".join(c for c in users.columns if c not in ("user_id", "model"))
            what = f"{place} has no values of {metric!r} for model {chosen!r}."
            raise BadInput(what, "--metric or --model", f"Metrics there: {known}.")
        sides.append((f"{path.name}/{chosen}", results["split"]["sha256"], users))
    (a, split_a, users_a), (b, split_b, users_b) = sides
    if split_a != split_b:
        raise BadInput(
            "The two runs were tested on different data or splits, so their users do not pair up.",
            f"{run} and {against}",
            "Compare runs of the same data and --split.",
        )
    pairs = users_a.join(users_b, on="user_id", suffix=" b", maintain_order="left")
    left, right = pairs[metric].to_numpy(), pairs[f"{metric} b"].to_numpy()
    pair = compare(left, right).to_json()
    return {"comparison": {"a": a, "b": b, "metric": metric, **pair}}
