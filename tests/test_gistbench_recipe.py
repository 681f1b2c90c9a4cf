"""The recipes on interests: models of a known quality are as careless as they are said to be."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.simulated import Simulated
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users


@pytest.fixture
def arms(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Import a file of the recipe."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "recipes"))
    return importlib.import_module("gistbench_arms")


def test_careless_models_lose_what_they_are_said_to_lose(arms: Any) -> None:
    planted = plant_users(PlantedOptions(users=40))
    task, oracle = arms.planted_task(planted), Simulated("oracle", planted)
    judge = PlantedJudge(planted)
    whole = arms.numbers(arms.asked(task, oracle, judge))
    careful = arms.numbers(arms.asked(task, arms.Careless(oracle, 0.0), judge))
    half = arms.numbers(arms.asked(task, arms.Careless(oracle, 0.5), judge))
    for name, values in whole.items():
        np.testing.assert_array_equal(values, careful[name])
    assert whole["hm"].min() == 1.0
    assert 0.4 < half["named"].mean() < 0.6 and half["ig_p"].mean() < 0.7
    assert half["ig_r"].mean() < 0.35


def test_what_needs_no_judge_is_right_of_who_counts_in_code(arms: Any) -> None:
    from tastemaker.understand.baselines import Baseline

    task = arms.planted_task(plant_users(PlantedOptions(users=5)))
    counted = arms.by_itself(arms.asked(task, Baseline("counting", task), None))
    for name in ("ig_p", "validity", "compliance", "exact", "read"):
        assert counted[name].tolist() == [1.0] * 5, name
    echo = arms.by_itself(arms.asked(task, Baseline("echo", task), None))
    assert echo["compliance"].max() == 0.0 and echo["validity"].min() == 1.0


def test_ranks_are_those_of_the_means(arms: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    evidence = importlib.import_module("evidence")
    verdicts = {}
    for sign in (1, -1):
        found = evidence.Evidence("x", "paper", "data", "toy", (0, 1), ("hm",))
        for _ in found.seeds:
            for place in range(4):
                found.add(f"m{place}", {"hm": np.full(20, 0.5) + sign * place / 10})
        arms.ranked(found, [f"m{place}" for place in range(4)], range(4), 0.9)
        verdicts[sign] = found.relations[0]["verdict"]
    assert verdicts == {1: "holds", -1: "fails"}
