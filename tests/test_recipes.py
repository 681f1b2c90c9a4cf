"""What recipes share: verdicts in the words of the rule, and claims about any metric."""

import importlib
import json
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest

from tastemaker.metrics.comparisons import Verdict

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file that recipes share."""
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module


def relation(verdict: str) -> dict[str, Any]:
    return {"id": "R1", "claim": "a is above b", "a": "a", "b": "b", "metric": "ndcg@10",
            "difference": 0.01, "ci95": [-0.01, 0.03], "verdict": verdict}  # fmt: skip


def test_figures_colour_what_is_settled_and_nothing_else(shared: Any) -> None:
    figures = shared("figures")
    pictures = {
        word: figures.figure({"data": "x", "users": 9, "relations": [relation(word)]})
        for word in get_args(Verdict)
    }
    first, second = figures.SERIES[:2]
    coloured = {word: (first in svg, second in svg) for word, svg in pictures.items()}
    assert coloured == {
        "holds": (True, False),
        "fails": (False, True),
        "undecided": (False, False),
        "underpowered": (False, False),
    }


def test_evidence_is_about_the_metrics_of_its_recipe(
    shared: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    evidence = shared("evidence")
    monkeypatch.setattr(evidence, "ROOT", tmp_path)
    found = evidence.Evidence("x", "paper", "data", "toy", (0, 1, 2), metrics=("recall@20", "hr@5"))
    rng = np.random.default_rng(0)
    for _ in found.seeds:
        worse = {metric: rng.random(50) for metric in found.metrics}
        found.add("b", worse)
        found.add("a", {metric: values + 0.1 for metric, values in worse.items()})
    found.relate("R1", "a is above b", "a", "b")
    found.relate("R2", "a is above b", "a", "b", "hr@5")
    found.against_published("a", 0.1)
    assert [(one["metric"], one["verdict"]) for one in found.relations] == [
        ("recall@20", "holds"),
        ("hr@5", "holds"),
    ]
    assert "RECALL@20" in found.notes[0]
    assert json.loads(found.write().read_text())["users"] == 50
