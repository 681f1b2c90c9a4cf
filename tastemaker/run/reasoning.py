"""Thoughts of a run's neural model: how they do on validation, and what is watched of them."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np

from tastemaker.data.queries import Queries
from tastemaker.data.splits import Split
from tastemaker.files import JsonObject
from tastemaker.metrics.evaluate import Evaluation
from tastemaker.metrics.headline import validation_queries
from tastemaker.run.reasoning_caveats import caveats_of_reasoning
from tastemaker.seams import Learned, Reasoning, ReasoningFacts, Recommender

ROWS = 2_000
"""Validation users that are asked at most, spread over all."""
_WATCHED = ("gate_entropy", "guidance", "cosine")
"""Measures of a thought that are written down at every validation."""


def asked_about(queries: Queries) -> Queries:
    """The validation queries that thoughts are measured on."""
    count = len(queries)
    return queries.take(np.unique(np.linspace(0, count - 1, min(count, ROWS)).astype(np.int64)))


def reasoning_of_run(model: Learned, cuts: Split, measured: Evaluation) -> JsonObject:
    """What results say of a model's thoughts; nothing of a model that does not reason.

    Args:
        model: A trained model.
        cuts: What it was trained and measured on.
        measured: What it did on the test events.

    Returns:
        As `ReasoningFacts`, of validation users, and answers (items in the lists of the test
        users), illegal (those of them outside the catalogue), caveats.
    """
    if not isinstance(model, Reasoning):
        return {}
    model.train(False)
    facts = model.reasoning_facts(asked_about(validation_queries(cuts)), cuts.train())
    answers = measured.lists[measured.lists != 0]
    outside = (answers < 0) | (answers > cuts.interactions.num_items)
    found = asdict(facts)
    return {
        **found,
        "answers": len(answers),
        "illegal": int(outside.sum()),
        "caveats": caveats_of_reasoning(found),
    }


def watched(model: Recommender, queries: Queries, cuts: Split) -> dict[str, float]:
    """What is written down of thoughts at every validation, means over them; `reasoning/` first.

    Args:
        model: As it stands; nothing is said of a model that does not reason.
        queries: Those that `asked_about` gave.
        cuts: What it is trained on.
    """
    if not isinstance(model, Reasoning):
        return {}
    found = mean_over_thoughts(model.reasoning_facts(queries, cuts.train()))
    return {f"reasoning/{name}": value for name, value in found.items()}


def mean_over_thoughts(facts: ReasoningFacts) -> dict[str, float]:
    """Measure → its mean over the thoughts that have it; measures that none has are left out."""
    values = {name: [vars(step)[name] for step in facts.steps] for name in _WATCHED}
    known = {name: [one for one in some if one is not None] for name, some in values.items()}
    return {name: float(np.mean(some)) for name, some in known.items() if some}
