"""Checks of a whole log: repeats are found exactly, whatever the mixing of bits."""

import numpy as np
import polars as pl
import pytest

from tastemaker.data import coded
from tastemaker.data.datasets import load
from tastemaker.data.problems import BadData


@pytest.mark.parametrize("collide", [False, True])
def test_repeats_are_the_rows_equal_in_every_column(
    collide: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if collide:  # even if every row mixed alike, only true repeats would be reported
        monkeypatch.setattr(coded, "_mix", lambda data: np.zeros(len(data.users), np.uint64))
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "user_id": rng.integers(0, 5, 200).astype(str),
            "item_id": rng.integers(0, 5, 200).astype(str),
            "timestamp": rng.integers(0, 10, 200),
            "value": rng.integers(0, 2, 200).astype(float),
        }
    )
    repeats = 200 - frame.n_unique()
    assert repeats > 20
    with pytest.raises(BadData) as caught:
        load(frame)
    (problem,) = caught.value.problems
    first = int(
        np.flatnonzero(~frame.select(pl.struct(pl.all()).is_first_distinct()).to_series())[0]
    )
    assert (problem.count, problem.row) == (repeats, first + 1)


def test_a_long_id_names_its_first_row() -> None:
    frame = {"user_id": ["a", "b", "x" * 2000, "x" * 2000], "item_id": list("abcd")}
    with pytest.raises(BadData) as caught:
        load(pl.DataFrame({**frame, "timestamp": [1, 2, 3, 4]}))
    (problem,) = caught.value.problems
    assert (problem.column, problem.row, problem.count) == ("user_id", 3, 2)
    assert "characters" in problem.value
