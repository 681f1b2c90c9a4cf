"""Codes of ids: order of appearance, whatever the type and however the column is cut."""

import numpy as np
import polars as pl
import pytest

from tastemaker.data.dictionary import Dictionary


def test_codes_follow_the_order_of_appearance() -> None:
    known = Dictionary()
    assert known.code(pl.Series(["b", "a", "b"])).tolist() == [0, 1, 0]
    assert known.code(pl.Series(["c", "a"])).tolist() == [2, 1]
    assert known.ids().to_list() == ["b", "a", "c"]
    assert known.ids().dtype == pl.String


@pytest.mark.parametrize("kind", [pl.Int8, pl.UInt16, pl.Int64, pl.UInt64, pl.String])
def test_parts_and_types_change_no_code(kind: type[pl.DataType]) -> None:
    numbers = np.random.default_rng(0).integers(0, 100, 500)
    column = pl.Series(numbers).cast(kind)
    known, order = Dictionary(), list(dict.fromkeys(numbers.tolist()))
    parts = [known.code(column[start : start + 70]) for start in range(0, 500, 70)]
    assert np.concatenate(parts).tolist() == [order.index(number) for number in numbers]
    assert known.ids().to_list() == [str(number) for number in order]


def test_numbers_that_no_array_could_hold_and_texts_share_the_codes() -> None:
    known = Dictionary()
    assert known.code(pl.Series([7, 2**63 - 1, 0])).tolist() == [0, 1, 2]
    assert known.code(pl.Series([-4, 7])).tolist() == [3, 0]
    assert known.code(pl.Series([0, 9, 7])).tolist() == [2, 4, 0]
    assert known.code(pl.Series(["9", "-4", "x"])).tolist() == [4, 3, 5]
    assert known.ids().to_list() == ["7", str(2**63 - 1), "0", "-4", "9", "x"]


@pytest.mark.parametrize("other", ["07", "+7", " 7", "-0", "7.0", "7e0", "٧", "x", ""])
def test_another_spelling_is_another_id(other: str) -> None:
    known = Dictionary()
    assert known.code(pl.Series(["7", "0", "16777215"])).tolist() == [0, 1, 2]
    assert known.code(pl.Series(["7", other, "0"])).tolist() == [0, 3, 1]
    assert known.code(pl.Series([other])).tolist() == [3]
    assert known.ids().to_list() == ["7", "0", "16777215", other]


def test_a_column_without_rows() -> None:
    known = Dictionary()
    for kind in (pl.String, pl.Int64):
        codes = known.code(pl.Series([], dtype=kind))
        assert codes.tolist() == []
    assert known.ids().to_list() == []
