"""The recipe on new items: what is learnt from, and what is counted."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers", reason="transformers is not installed: it comes with llm")

from tastemaker.data.contexts import Contexts


@pytest.fixture
def arms(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "recipes"))
    return importlib.import_module("cafe_items_arms")


def test_people_differ_between_seeds_and_pictures_do_not(arms: Any, tmp_path: Path) -> None:
    one, other = (arms.World.of(arms.TOY, seed, tmp_path) for seed in (0, 1))
    assert not one.shop.frame.equals(other.shop.frame)
    assert np.array_equal(one.shop.images, other.shop.images)
    assert len(one._captions()) == (~one.shop.new).sum()


def test_recall_is_of_new_items_among_new_ones_and_among_all(arms: Any, tmp_path: Path) -> None:
    world = arms.World.of(arms.TOY, 0, tmp_path)
    many = 120
    scores = np.tile(-np.arange(many, dtype=float), (2, 1))
    new = np.arange(many) >= 60
    targets = np.array([61, 70, 71, 61, 62, 120], np.int32)  # codes, from 1
    contexts = Contexts(np.arange(2), np.array([0, 1, 21]), np.array([1, *range(1, 21)], np.int32))
    found = world.recalls(scores, contexts, targets, new)
    assert found["recall@10"].tolist() == [2 / 3, 2 / 3]
    assert found["recall@50"].tolist() == [1, 2 / 3]
    assert found["recall@50, all items"].tolist() == [0, 2 / 3]


def test_the_last_weights_are_those_that_are_kept(arms: Any, tmp_path: Path) -> None:
    measure = arms.latest()
    first, second = measure(), measure()
    assert first.keys() == second.keys() == {arms.PLAIN["metric"]}
    assert second["turn"] > first["turn"]
