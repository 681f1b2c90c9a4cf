"""The first value of a run, in seconds: counting models, measured, and what the best recommends.

They come before the neural model, which then has something to improve on. Nothing here is random,
so the training after it begins as it would have begun without.
"""

from __future__ import annotations

from collections.abc import Sequence

from tastemaker.counts import counted
from tastemaker.metrics.evaluate import Evaluation, evaluate
from tastemaker.metrics.headline import options_of, validation_queries
from tastemaker.options import HEADLINE
from tastemaker.run.examples import Known, examples
from tastemaker.run.models import Models
from tastemaker.run.plan import Plan
from tastemaker.seams import Learned
from tastemaker.train.journal import LOG

TITLES = 5
"""Items of an example that are named."""
WIDTH = 60
"""Most characters of a name in a line of the log."""


def first_answers(plan: Plan, neural: Learned) -> Models:
    """Fit the counting models, measure them on validation, and say what the best recommends.

    Args:
        plan: What to run.
        neural: The neural model, trained or not: it is not asked.

    Returns:
        The models of the run so far, with the validation values of the counting ones.
    """
    train, num_items = plan.cuts.train(), plan.cuts.interactions.num_items
    queries = validation_queries(plan.cuts)
    LOG.info("counting models, on the validation events of %s:", counted(len(queries), "user"))
    models = Models.fit_counting(plan.options.model, neural, train, num_items, plan.knobs)
    scoring = options_of(plan.cuts, not plan.options.repeats, ks=(10,))
    measured: dict[str, Evaluation] = {}
    for name, model in models.counting.items():
        measured[name] = evaluate(model, queries, scoring)
        values = measured[name].mean(HEADLINE), measured[name].mean("hr@10")
        models.validation[name] = values[0]
        LOG.info("  %-14s NDCG@10 %.4f  HR@10 %.4f", name, *values)
    for name, reason in (models.skipped or {}).items():
        LOG.info("  %-14s skipped: %s", name, reason)
    best, log = models.best_counting, plan.cuts.interactions
    known = Known(log, plan.ground.catalog, plan.refused)
    for example in examples(measured[best], queries, known, users=1):
        LOG.info(
            "user %s chose, newest first: %s", _named([example["user"]]), _named(example["history"])
        )
        titles = [item["title"] for item in example["recommendations"]]
        LOG.info("%s recommends: %s", best, _named(titles))
    return models


def _named(titles: Sequence[str]) -> str:
    short = (
        title if len(title) <= WIDTH else f"{title[: WIDTH - 1]}…" for title in titles[:TITLES]
    )
    return " · ".join(short) or "nothing"
