"""Models and a split → the numbers of `results.json`, and comparisons of finished runs.

The model to recommend with is chosen on validation; test is read once, for every model alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import Dataset
from tastemaker.data.groupings import Grouping
from tastemaker.data.splits import Queries, Split
from tastemaker.metrics import beyond_accuracy
from tastemaker.metrics.comparisons import compare, holm
from tastemaker.metrics.evaluate import EvalOptions, Evaluation, evaluate
from tastemaker.metrics.intervals import bucketed, intervals
from tastemaker.run.models import Models

HEADLINE = "ndcg@10"
K = 10
VALIDATION_USERS = 10_000

TIED = 0.01
"""Share of tied targets above which a ranking says little."""

_EXAMPLES = 3


def options_of(
    cuts: Split, filter_seen: bool, ks: tuple[int, ...] = (1, 5, 10, 20, 50)
) -> EvalOptions:
    """How a run ranks: candidates are the items with training events."""
    return EvalOptions(ks, filter_seen, cuts.trained_items)


def validation_queries(cuts: Split) -> Queries:
    """The validation queries of at most 10,000 fixed users."""
    queries = cuts.queries("valid")
    if len(queries) <= VALIDATION_USERS:
        return queries
    rows = np.random.default_rng(0).choice(len(queries), VALIDATION_USERS, replace=False)
    return queries.take(np.sort(rows))


def evaluate_models(
    models: Models, dataset: Dataset, cuts: Split, filter_seen: bool
) -> tuple[dict[str, Any], pl.DataFrame]:
    """Everything that the report shows, and the per-user values it was made from."""
    queries, options = cuts.queries("test"), options_of(cuts, filter_seen)
    found = {name: evaluate(models.get(name), queries, options) for name in models.names}
    catalog = dataset.catalog.align(cuts.interactions.item_ids)
    grouping = grouping_of(catalog, cuts)
    best, why, on_validation = _choose(models, cuts, filter_seen)
    return {
        "data": dataset.describe(),
        "split": {"name": cuts.name, "sha256": cuts.sha256, **cuts.summary()},
        "protocol": _protocol(cuts, options),
        "models": {name: metrics_of(one, cuts, grouping) for name, one in found.items()},
        "validation": on_validation,
        "best": best,
        "why": why,
        "warnings": [*dataset.warnings, *_warnings(models, found, cuts)],
        "blend": models.weights,
        "comparisons": _comparisons(found, best),
        "buckets": _buckets(found, cuts, queries, [best, models.neural_name, "markov-last-5"]),
        "examples": _examples(found[best], cuts, queries, catalog),
        "skipped": models.skipped or {},
    }, _per_user(found, cuts)


def _choose(models: Models, cuts: Split, filter_seen: bool) -> tuple[str, str, dict[str, float]]:
    """The model with the highest validation NDCG@10, the earlier of equals, and why in words."""
    queries, options = validation_queries(cuts), options_of(cuts, filter_seen, (K,))
    values = {
        name: evaluate(models.get(name), queries, options).mean(HEADLINE) for name in models.names
    }
    best, second = sorted(values, key=lambda name: -values[name])[:2]
    why = (
        f"Recommends with {best}: NDCG@10 {values[best]:.4f} on validation, "
        f"where the next best, {second}, has {values[second]:.4f}."
    )
    return best, why, values


def metrics_of(one: Evaluation, cuts: Split, grouping: Grouping | None) -> dict[str, Any]:
    """Means with intervals of one model, accuracy first."""
    log, lists = cuts.interactions, one.lists[:, :K]
    counts = np.bincount(cuts.train().items, minlength=log.num_items + 1)[1:]
    beyond = {
        f"novelty@{K}": beyond_accuracy.novelty(lists, counts),
        f"personalisation@{K}": beyond_accuracy.personalisation(lists, log.num_items),
        f"popularity_share@{K}": beyond_accuracy.popularity_share(lists, counts),
    }
    if grouping is not None:
        beyond[f"entropy@{K}"] = beyond_accuracy.entropy(lists, grouping.membership)
    cells = {name: cell.to_json() for name, cell in intervals(one.per_user | beyond).items()}
    cells[f"coverage@{K}"] = _point(beyond_accuracy.coverage(lists, log.num_items))
    cells[f"gini@{K}"] = _point(beyond_accuracy.gini(lists, log.num_items))
    cells["tied"], cells["unrankable"] = _point(one.tied), _point(one.unrankable)
    return cells


def _point(value: float) -> dict[str, Any]:
    return {"mean": float(value), "ci95": None}


def _protocol(cuts: Split, options: EvalOptions) -> dict[str, Any]:
    return {
        "filter_seen": options.filter_seen,
        "candidates": "items with training events",
        "candidate_items": int(cuts.trained_items.sum()),
        "ties": "pessimistic",
        "ks": list(options.ks),
        "intervals": "95 %, 10,000 bootstrap resamples of users",
        "counting": "fitted on training events only",
    }


def _warnings(models: Models, found: dict[str, Evaluation], cuts: Split) -> list[str]:
    warnings = []
    neural, markov = (found[n].mean(HEADLINE) for n in (models.neural_name, "markov-last-5"))
    if neural <= markov:
        warnings.append(
            f"{models.neural_name} ({neural:.4f}) does not beat markov-last-5 ({markov:.4f}) "
            f"in NDCG@10 here: this log is small or short for a neural model."
        )
    history, lengths = models.neural.config.history, cuts.queries("test").contexts.lengths
    if longer := int((lengths > history).sum()):
        warnings.append(
            f"{longer:,} of {len(lengths):,} histories are longer than {history} events: "
            f"{models.neural_name} reads the newest {history} (--model.history)."
        )
    best = max(found, key=lambda name: found[name].mean(HEADLINE))
    if found[best].tied > TIED:
        warnings.append(
            f"{found[best].tied:.0%} of the targets have the same score as another item under "
            f"{best}; ranks count such ties against the model."
        )
    if cuts.name == "leave-one-out" or cuts.name.startswith("last-"):
        share = cuts.summary()["test_users"] / max(1, cuts.interactions.num_users)
        if share < 0.5:
            warnings.append(f"Only {share:.0%} of the users have enough events to be tested.")
    return warnings


def _comparisons(found: dict[str, Evaluation], best: str) -> list[dict[str, Any]]:
    """The best model against every other, p corrected for their number (Holm)."""
    pairs = {
        other: compare(found[best].per_user[HEADLINE], found[other].per_user[HEADLINE])
        for other in found
        if other != best
    }
    corrected = holm({other: pair.p for other, pair in pairs.items()})
    return [
        {"a": best, "b": other, "metric": HEADLINE, **pair.to_json(), "p": corrected[other]}
        for other, pair in pairs.items()
    ]


def _buckets(
    found: dict[str, Evaluation], cuts: Split, queries: Queries, names: Sequence[str]
) -> dict[str, Any]:
    """Quality by length of the context and by how often the (first) target was trained."""
    counts = np.bincount(cuts.train().items, minlength=cuts.interactions.num_items + 1)
    targets = queries.target_items[queries.target_offsets[:-1]]
    values = {name: found[name].per_user[HEADLINE] for name in dict.fromkeys(names)}
    return {
        title: bucketed(values, *_labels(amounts))
        for title, amounts in (
            ("history length", queries.contexts.lengths),
            ("item popularity", counts[targets]),
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


def _examples(
    one: Evaluation, cuts: Split, queries: Queries, catalog: Catalog
) -> list[dict[str, Any]]:
    """A few users spread over the log: what they chose, what came next, what was recommended."""
    titles, log = catalog.titles(), cuts.interactions
    categories = catalog.frame["categories"].to_list()
    rows = np.unique(np.linspace(0, len(queries) - 1, _EXAMPLES + 2).astype(int)[1:-1])
    examples = []
    for row in rows:
        context = queries.contexts.slice(int(row), int(row) + 1).items
        targets = queries.target_items[
            queries.target_offsets[row] : queries.target_offsets[row + 1]
        ]
        items = [
            {
                "item": log.item_ids[int(code) - 1],
                "title": titles[code - 1],
                "categories": categories[code - 1] or [],
                "hit": bool(code in targets),
            }
            for code in one.lists[row, :K]
            if code
        ]
        examples.append(
            {
                "user": log.user_ids[int(one.users[row])],
                "history": [titles[code - 1] for code in context[::-1][:10]],
                "held_out": [titles[code - 1] for code in targets],
                "recommendations": items,
            }
        )
    return examples


def _per_user(found: dict[str, Evaluation], cuts: Split) -> pl.DataFrame:
    frames = []
    for name, one in found.items():
        frame = one.to_frame(cuts.interactions.user_ids)
        frames.append(frame.insert_column(1, pl.lit(name).alias("model")))
    return pl.concat(frames)


def grouping_of(catalog: Catalog, cuts: Split) -> Grouping | None:
    """Items by category; None where the catalogue has none."""
    if not catalog.frame["categories"].drop_nulls().list.len().sum():
        return None
    return Grouping.from_categories(catalog, cuts.interactions.item_ids)
