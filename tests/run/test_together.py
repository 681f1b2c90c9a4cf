"""Examples of what goes together, by title."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import Ground
from tastemaker.run.saved import SavedRun, open_run
from tastemaker.run.together import together
from tests.run.two_heads import best, two_headed


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> SavedRun:
    return two_headed(tmp_path_factory.mktemp("beside"))


def ground_of(saved: SavedRun) -> Ground:
    log = saved.interactions
    users = np.arange(len(log.offsets) - 1)
    train = Contexts.gather(users, log.offsets[:-1], log.offsets[1:], log.columns)
    return Ground.of(log.item_ids, saved.data.catalog, train)


def test_known_items_at_both_ends_and_the_usual_place_of_the_dial(saved: SavedRun) -> None:
    shown = together(saved.models.neural, ground_of(saved))
    assert len(shown) == 2  # of 40 items there is no fiftieth
    titles = dict(zip(saved.interactions.item_ids, saved.shelf.titles, strict=True))
    titles |= {"new": "Fresh (2020)", "newer": "Item <3>"}
    ids = {title: item for item, title in titles.items()}
    for example in shown:
        assert [one["relevance"] for one in example["lists"]] == [0.0, 0.3, 1.0]
        for one in example["lists"]:
            want = best(saved, ids[example["item"]], one["relevance"])[:6]
            assert one["items"] == [titles[item] for item in want]


def test_a_model_without_heads_has_none(saved: SavedRun, finished_run: Path) -> None:
    plain = open_run(finished_run)
    assert together(plain.models.neural, ground_of(plain)) == []
    assert together(saved.models.neural, replace(ground_of(saved), train=None)) == []
