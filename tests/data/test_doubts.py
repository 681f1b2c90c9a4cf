"""Doubts: said where something is hardly meant, and silent elsewhere."""

import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import load
from tastemaker.data.declaration import Declaration
from tastemaker.data.doubts import catalogue_doubts, outside_catalogue, time_doubts
from tastemaker.data.interactions import Interactions
from tastemaker.data.reading import read_interactions
from tastemaker.data.tables import from_frame

NOW = 1_700_000_000


def read(times: list[int] | None, unit: str = "s") -> tuple[Interactions, Declaration]:
    declared = Declaration(time_unit=unit)  # type: ignore[arg-type]
    if times is None:
        return Interactions.from_sequences({"u": ["a", "b"]}), declared
    items = [f"i{at}" for at in range(len(times))]
    frame = pl.DataFrame({"user_id": "u", "item_id": items, "timestamp": times})
    return read_interactions(from_frame(frame), declared).interactions, declared


@pytest.mark.parametrize(
    ("times", "unit", "words"),
    [
        ([NOW, NOW + 5], "ms", "seconds"),
        ([NOW, NOW + 5], "us", "seconds"),
        ([20_240_101, 20_231_231], "s", "dates"),
        ([19_700, 19_701], "s", "unit"),
        ([2023, 2024], "ms", "unit"),
        ([0, NOW, NOW + 1], "s", "1 of 3"),
    ],
)
def test_times_that_were_hardly_meant(times: list[int], unit: str, words: str) -> None:
    (doubt,) = time_doubts(*read(times, unit))
    assert words in doubt
    assert "1970" in doubt


@pytest.mark.parametrize(
    ("times", "unit"),
    [
        ([NOW, NOW + 5], "s"),
        ([NOW * 1000, NOW * 1000 + 5], "ms"),
        ([NOW * 10**9, NOW * 10**9 + 5], "ns"),
        ([400_000_000, NOW], "s"),
        (None, "s"),
    ],
)
def test_good_times_raise_no_doubt(times: list[int] | None, unit: str) -> None:
    assert time_doubts(*read(times, unit)) == []


def catalog(*ids: str) -> Catalog:
    return Catalog.from_table(from_frame(pl.DataFrame({"item_id": ids})))


@pytest.mark.parametrize(
    ("ids", "outside", "words"),
    [
        (("a", "b", "x"), 0, None),
        (("a",), 1, "1 of the 2 items"),
        (("A", "B"), 2, "None of the 2 items"),
    ],
)
def test_items_outside_the_catalogue_are_counted(
    ids: tuple[str, ...], outside: int, words: str | None
) -> None:
    log = Interactions.from_sequences({"u": ["a", "b", "a"]})
    assert outside_catalogue(log, catalog(*ids)) == outside
    found = catalogue_doubts(log, catalog(*ids))
    assert [words in doubt for doubt in found if words] == [True] * (words is not None)


def test_without_a_catalogue_nothing_is_outside() -> None:
    log = Interactions.from_sequences({"u": ["a"]})
    assert outside_catalogue(log, Catalog.empty()) == 0
    assert catalogue_doubts(log, Catalog.empty()) == []


def test_the_embedded_data_raises_no_doubt() -> None:
    assert load().check()["warnings"] == []
