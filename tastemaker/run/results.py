"""Models and a split → the numbers of `results.json`.

The model to recommend with is chosen on validation; test is read once, for every model alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.ground import CATEGORY
from tastemaker.data.groupings import Grouping
from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split
from tastemaker.files import JsonObject
from tastemaker.metrics import beyond_accuracy
from tastemaker.metrics.comparisons import compare, holm
from tastemaker.metrics.evaluate import EvalOptions, Evaluation, evaluate
from tastemaker.metrics.headline import K, options_of, validation_queries
from tastemaker.metrics.intervals import bucketed, intervals
from tastemaker.options import HEADLINE
from tastemaker.run.caveats import caveats
from tastemaker.run.examples import Known, examples
from tastemaker.run.models import Models
from tastemaker.run.plan import Plan
from tastemaker.run.profile import Profiler
from tastemaker.train.loop import Fitted


def measure(plan: Plan, models: Models) -> dict[str, Evaluation]:
    """What each model of a run does on the test events; its validation value goes to `models`.

    Args:
        plan: What was run.
        models: Its models; what was measured on validation already is not measured again.
    """
    cuts, filter_seen = plan.cuts, not plan.options.repeats
    queries, options = cuts.queries("test"), options_of(cuts, filter_seen)
    measured = {name: evaluate(models.get(name), queries, options) for name in models.names}
    queries, options = validation_queries(cuts), options_of(cuts, filter_seen, (K,))
    for name in models.names:
        if name not in models.validation:
            value = evaluate(models.get(name), queries, options).mean(HEADLINE)
            models.validation[name] = value
    return measured


def results_of(
    plan: Plan, models: Models, measured: Mapping[str, Evaluation], fitted: Fitted
) -> tuple[JsonObject, pl.DataFrame]:
    """Everything that the report shows, and the per-user values it was made from.

    Args:
        plan: What was run.
        models: Its models, with their validation values; none is asked to rank, but heads that
            took part may be asked which of them spoke.
        measured: What each of them did on test.
        fitted: How the training of the neural model went.
    """
    cuts = plan.cuts
    log, queries = cuts.interactions, cuts.queries("test")
    grouping = plan.ground.groupings.get(CATEGORY)
    on_validation = {name: models.validation[name] for name in models.names}
    best = max(on_validation, key=lambda name: on_validation[name])  # the earlier of equals
    shown = [best, models.neural_name, models.best_counting]
    profiler = None if grouping is None else Profiler.of(plan.dataset)
    known = Known(log, plan.ground.catalog, plan.refused, profiler)
    return {
        "data": plan.dataset.describe(),
        "split": {"name": cuts.name, "sha256": cuts.sha256, **cuts.summary()},
        "protocol": _protocol(cuts, options_of(cuts, not plan.options.repeats)),
        "models": {
            name: metrics_of(evaluation, cuts, grouping) for name, evaluation in measured.items()
        },
        "validation": on_validation,
        "best": best,
        "why": _why(best, on_validation, measured, models.blend_is),
        "warnings": [*plan.dataset.warnings, *caveats(models, measured, cuts, fitted)],
        "blend": models.weights,
        "comparisons": _comparisons(measured, best, models.blend_is),
        "buckets": _buckets(measured, cuts, queries, shown),
        "examples": examples(
            measured[best], queries, known, heads=models.heads_in(best), thinker=models.thinker
        ),
        "skipped": models.skipped or {},
    }, _per_user(measured, cuts)


def _rivals(names: Iterable[str], best: str, blend_is: str) -> list[str]:
    """The models that `best` can be compared with: not itself under another name."""
    same = {best, *({"blend", blend_is} if best in ("blend", blend_is) else ())}
    return [name for name in names if name not in same]


def _why(
    best: str, on_validation: Mapping[str, float], measured: Mapping[str, Evaluation], blend_is: str
) -> str:
    """Why the run recommends with `best`, in words."""
    rivals = _rivals(on_validation, best, blend_is)
    second = max(rivals, key=lambda name: on_validation[name])
    test = {name: measured[name].mean(HEADLINE) for name in (best, second)}
    alone = f" The blend is {blend_is} alone here: it gives all weight to it." if blend_is else ""
    return (
        f"Recommends with {best}: NDCG@10 {on_validation[best]:.4f} on validation "
        f"({test[best]:.4f} on test), where the next best, {second}, has "
        f"{on_validation[second]:.4f} ({test[second]:.4f}).{alone}"
    )


def metrics_of(evaluation: Evaluation, cuts: Split, grouping: Grouping | None) -> JsonObject:
    """Means with intervals of one model, accuracy first."""
    log, lists = cuts.interactions, evaluation.lists[:, :K]
    counts = cuts.train_counts
    beyond = {
        f"novelty@{K}": beyond_accuracy.novelty(lists, counts),
        f"personalisation@{K}": beyond_accuracy.personalisation(lists, log.num_items),
        f"popularity_share@{K}": beyond_accuracy.popularity_share(lists, counts),
    }
    if grouping is not None:
        beyond[f"entropy@{K}"] = beyond_accuracy.entropy(lists, grouping.membership)
    cells = {name: cell.to_json() for name, cell in intervals(evaluation.per_user | beyond).items()}
    cells[f"coverage@{K}"] = _point(beyond_accuracy.coverage(lists, log.num_items))
    cells[f"gini@{K}"] = _point(beyond_accuracy.gini(lists, log.num_items))
    cells["tied"], cells["unrankable"] = _point(evaluation.tied), _point(evaluation.unrankable)
    return cells


def _point(value: float) -> JsonObject:
    return {"mean": float(value), "ci95": None}


def _protocol(cuts: Split, options: EvalOptions) -> JsonObject:
    return {
        "filter_seen": options.filter_seen,
        "candidates": "items with training events",
        "candidate_items": int(cuts.trained_items.sum()),
        "ties": "pessimistic",
        "ks": list(options.ks),
        "intervals": "95 %, 10,000 bootstrap resamples of users",
        "counting": "fitted on training events only",
    }


def _comparisons(measured: Mapping[str, Evaluation], best: str, blend_is: str) -> list[JsonObject]:
    """The best model against every other, p corrected for their number (Holm)."""
    pairs = {
        other: compare(measured[best].per_user[HEADLINE], measured[other].per_user[HEADLINE])
        for other in _rivals(measured, best, blend_is)
    }
    corrected = holm({other: pair.p for other, pair in pairs.items()})
    return [
        {"a": best, "b": other, "metric": HEADLINE, **pair.to_json(), "p": corrected[other]}
        for other, pair in pairs.items()
    ]


def _buckets(
    measured: Mapping[str, Evaluation], cuts: Split, queries: Queries, names: Sequence[str]
) -> JsonObject:
    """Quality by length of the context and by how often the (first) target was trained."""
    targets = queries.target_items[queries.target_offsets[:-1]]
    values = {name: measured[name].per_user[HEADLINE] for name in dict.fromkeys(names)}
    return {
        title: bucketed(values, *_labels(amounts))
        for title, amounts in (
            ("history length", queries.contexts.lengths),
            ("item popularity", cuts.train_counts[targets - 1]),
        )
    }


def _labels(amounts: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.str_], list[str]]:
    """Round buckets that hold about a quarter of the users each."""
    inner = np.unique(np.quantile(amounts, [0.25, 0.5, 0.75]).astype(int))
    edges = sorted({0, *(int(edge) for edge in inner), int(amounts.max()) + 1})
    names = [
        f"{low:,}" if low == high - 1 else f"{low:,}–{high - 1:,}"
        for low, high in zip(edges, edges[1:], strict=False)
    ]
    return np.array(names)[np.searchsorted(edges, amounts, side="right") - 1], names


def _per_user(measured: Mapping[str, Evaluation], cuts: Split) -> pl.DataFrame:
    frames = []
    for name, evaluation in measured.items():
        frame = evaluation.to_frame(cuts.interactions.user_ids)
        frames.append(frame.insert_column(1, pl.lit(name).alias("model")))
    return pl.concat(frames)
