"""VRec's recipes: arms share a first stage, learn as long, and shuffled groups keep their sizes."""

import importlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker.data.queries import Queries
from tastemaker.metrics.evaluate import EvalOptions
from tastemaker.train.config import FitConfig
from tests.contracts import some_contexts
from tests.recommend.small_vrec import SMALL, ground

RECIPES = Path(__file__).parents[1] / "recipes"


@pytest.fixture
def shared(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file that recipes share."""
    monkeypatch.syspath_prepend(str(RECIPES))
    return importlib.import_module


def task(shared: Any) -> Any:
    train = some_contexts(20)
    targets = np.arange(1, len(train) + 1, dtype=np.int32)
    asked = Queries(train, targets, np.arange(len(train) + 1))
    shape = replace(SMALL, dropout=0.2)
    training, scoring = FitConfig(epochs=1, batch=64, warmup=1), EvalOptions((10,), False)
    return shared("vrec_task").Task(ground(train), train, asked, asked, shape, training, scoring)


def made(shared: Any, asked: Any, name: str, cache: Path) -> Any:
    arms = shared("vrec_arms")
    every = arms.ARMS | arms.MORE
    return arms.trained(cache, asked, asked.known(), every[name], name, 0)


def test_arms_of_one_architecture_go_on_from_one_first_stage(shared: Any, tmp_path: Path) -> None:
    asked = task(shared)
    models = {name: made(shared, asked, name, tmp_path) for name in ("RATT", "VREC2", "MULTITASK")}
    begun = {path.name for path in tmp_path.iterdir()} - {f"{name}-seed-0" for name in models}
    assert begun == {"attention-2-seed-0"}
    assert [stage.name for stage in models["RATT"].stages()] == ["joint"]
    assert [stage.name for stage in models["VREC2"].stages()] == ["verify", "joint"]
    tables = [model.language.table.weight for model in models.values()]
    assert not torch.equal(tables[0], tables[1])
    again = made(shared, asked, "VREC2", tmp_path)
    assert torch.equal(again.language.table.weight, tables[1])


def test_shuffled_groups_are_as_large_and_of_other_items(shared: Any) -> None:
    grouping = task(shared).known().groupings["text"]
    other = shared("vrec_arms").shuffled(grouping)
    np.testing.assert_array_equal(other.membership.sum(axis=0), grouping.membership.sum(axis=0))
    assert (other.membership != grouping.membership).nnz > 0


def test_what_thoughts_are_like_is_a_value_a_user(shared: Any, tmp_path: Path) -> None:
    asked = task(shared)
    steps = shared("vrec_task").thinking(made(shared, asked, "VREC2", tmp_path), asked)
    assert [set(step) for step in steps] == [
        {"entropy", "accuracy", "w", "trust in text", "g/r"},
        {"cosine", "entropy", "accuracy", "w", "trust in text", "g/r"},
    ]
    for step in steps:
        assert all(values.shape == (20,) for values in step.values())
        assert (step["accuracy"] >= 0).all() and (step["accuracy"] <= 1).all()


def test_slopes_are_those_of_a_line(shared: Any) -> None:
    scaling, evidence = shared("vrec_scaling"), shared("evidence")
    found = evidence.Evidence("x", "", "", "toy", [0])
    for count in scaling.COUNTS:
        name = "VREC2" if count == 2 else f"VREC2, N = {count}"
        found.add(name, {"ndcg@10": np.array([0.5 + 0.01 * count, 0.5])})
    scaling.slope(found, "VREC2")
    np.testing.assert_allclose(found.values["VREC2, slope"]["ndcg@10"][0], [0.01, 0], atol=1e-12)
