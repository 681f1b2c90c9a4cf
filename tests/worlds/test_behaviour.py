"""The marginals of a small log, counted by hand."""

import numpy as np
import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.gist_rows import DECLARED
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import polarities
from tastemaker.data.tables import from_frame
from tastemaker.worlds.behaviour import NONE, Behaviour, concentrations

FRAME = pl.DataFrame(
    {
        "user_id": ["a", "a", "a", "b"],
        "item_id": ["x", "y", "x", "z"],
        "timestamp": [10, 15, 40, 7],
        "event": ["explicit_positive", "implicit_negative", "explicit_positive"]
        + ["implicit_positive"],
    }
)
ITEMS = pl.DataFrame({"item_id": ["x", "y"], "categories": ["A|B", "B"]})


def behaviour() -> Behaviour:
    log = Interactions.from_frame(FRAME)
    return Behaviour.of(log, polarities(log, DECLARED), Catalog.from_table(from_frame(ITEMS)))


def test_counts_are_those_of_the_log() -> None:
    one = behaviour()
    assert one.names == ["A", "B", NONE]
    assert one.by_category.tolist() == [[2, 1, 0], [0, 0, 1]]
    assert one.by_polarity.tolist() == [[2, 0, 1, 0], [0, 1, 0, 0]]
    assert one.gaps.tolist() == [5, 25]
    assert one.repeats == pytest.approx(1 / 4)
    assert one.category_shares() == pytest.approx({"A": 1 / 4, "B": 2 / 4, NONE: 1 / 4})
    assert sorted(one.ranks().tolist()) == [0, 0, 1, 2]


def test_concentration_is_the_chance_of_one_category_twice() -> None:
    counts = np.array([[2, 1, 0], [0, 0, 1], [4, 0, 0], [1, 1, 1]])
    assert concentrations(counts) == pytest.approx([1 / 3, 1, 0])
