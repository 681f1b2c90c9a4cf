"""Catalogues: lists or bars, missing columns as nulls, rows in the order of the codes."""

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.datasets import load
from tastemaker.data.opening import open_table
from tastemaker.data.problems import BadData
from tastemaker.data.tables import from_frame
from tests.conftest import write_data


def catalog(**columns: object) -> Catalog:
    return Catalog.from_table(from_frame(pl.DataFrame(columns), "items"))


def test_categories_are_lists_or_text_with_bars() -> None:
    bars = catalog(item_id=["a", "b", "c"], categories=["Drama|War", "", None])
    lists = catalog(item_id=["a", "b", "c"], categories=[["Drama", "War"], [], None])
    assert bars.frame["categories"].to_list() == [["Drama", "War"], [], None]
    assert lists.frame.equals(bars.frame)


def test_missing_columns_are_nulls_and_unknown_ones_are_left_out() -> None:
    found = catalog(item_id=[1, 2], price=[3.0, 4.0])
    assert dict(found.frame.schema) == SCHEMA
    assert found.frame["item_id"].to_list() == ["1", "2"]
    assert found.frame["title"].null_count() == 2


def test_rows_align_with_codes() -> None:
    found = catalog(item_id=["a", "b", "c"], title=["A", None, "C"])
    aligned = found.align(pl.Series(["c", "x", "b"]))
    assert aligned.frame["item_id"].to_list() == ["c", "x", "b"]
    assert aligned.titles() == ["C", "x", "b"]


def test_a_blank_title_names_nothing() -> None:
    assert catalog(item_id=["a", "b", "c"], title=["", " ", "C"]).titles() == ["a", "b", "C"]


def test_round_trip(tmp_path: Path) -> None:
    found = catalog(item_id=["a"], title=["é"], categories=["x|y"], image=["a.png"])
    found.save(tmp_path / "items.parquet")
    assert Catalog.open(tmp_path / "items.parquet").frame.equals(found.frame)
    assert len(Catalog.empty().frame) == 0
    assert Catalog.empty().align(pl.Series(["a"])).titles() == ["a"]


@pytest.mark.parametrize(
    ("columns", "column", "cause"),
    [
        ({"movieId": ["a"]}, "item_id", "Rename column 'movieId'"),
        ({"item_id": ["a"], "title": [3]}, "title", "not text"),
        ({"item_id": [1.5]}, "item_id", "not text"),
        ({"item_id": ["a"], "categories": [3]}, "categories", "not categories"),
        ({"item_id": ["a", "b", "a"]}, "item_id", "twice"),
        ({"item_id": ["a", None]}, "item_id", "missing"),
        ({"item_id": ["a" * 1025]}, "item_id", "longer"),
    ],
)
def test_catalogues_that_cannot_be_used(columns: dict[str, list], column: str, cause: str) -> None:
    with pytest.raises(BadData) as caught:
        catalog(**columns)
    assert any(p.column == column and cause in str(p) for p in caught.value.problems)


def test_items_of_two_categories_in_six_spellings() -> None:
    texts = ["Drama | War", "Drama|War", "Drama, War", "['Drama', 'War']", '["Drama", "War"]',
             "drama|WAR|War"]  # fmt: skip
    found = catalog(item_id=list("abcdef"), categories=texts)
    assert found.frame["categories"].to_list() == [["Drama", "War"]] * 6


def test_categories_that_cannot_be_read_name_row_and_value() -> None:
    with pytest.raises(BadData) as caught:
        catalog(
            item_id=["a", "b", "b"],
            categories=["Drama|War", "Drama, Crime", "['Drama' 'War']"],
        )
    found = {(p.column, p.row, p.value) for p in caught.value.problems}
    assert ("categories", 2, "'Drama, Crime'") in found
    assert ("categories", 3, "\"['Drama' 'War']\"") in found
    assert any(p.column == "item_id" for p in caught.value.problems)


@pytest.mark.parametrize(
    "column",
    [
        pl.Series([["x"], ["y", None], None], dtype=pl.List(pl.Categorical)),
        pl.Series([["x"], ["y"], [None]], dtype=pl.Array(pl.String, 1)),
        pl.Series(["x", "y", None], dtype=pl.Categorical),
    ],
)
def test_categories_of_every_type_of_text(column: pl.Series) -> None:
    found = catalog(item_id=["a", "b", "c"], categories=column)
    assert found.frame["categories"].to_list()[:2] == [["x"], ["y"]]


def test_rows_of_categories_count_blank_lines(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("item_id,categories\n\na,Drama|War\n\nb,['Drama' 'War']\n")
    with pytest.raises(BadData) as caught:
        Catalog.from_table(open_table(path))
    assert [(p.column, p.row) for p in caught.value.problems] == [("categories", 4)]


def test_pictures_are_found_from_the_folder_of_the_catalogue(tmp_path: Path) -> None:
    folder = write_data(tmp_path / "pictured")
    (folder / "items.parquet").unlink()
    rest = "".join(f"i{n},\n" for n in range(3, 40))
    table = "item_id,image\ni0,shots/a.png\ni1,\ni2, \n"
    (folder / "items.csv").write_text(table + rest)
    found = load(folder).catalog
    assert found.has_pictures and not found.without(pl.Series(["i0"])).has_pictures
    assert found.pictures() == [folder / "shots/a.png", *[None] * 39]
    assert found.align(pl.Series(["i1", "i0"])).pictures()[1] == found.pictures()[0]


def test_a_newer_catalogue_brings_its_pictures_from_where_they_are(tmp_path: Path) -> None:
    old = replace(catalog(item_id=["a", "b"], image=["a.png", "b.png"]), folder="/old")
    new = replace(catalog(item_id=["b", "c"], image=["b.png", None]), folder="/new")
    both = old.updated(new)
    assert both.frame["item_id"].to_list() == ["b", "c", "a"]
    assert both.pictures() == [Path("/new/b.png"), None, Path("/old/a.png")]
    bare = catalog(item_id=["a"], title=["A"])
    assert bare.updated(new).pictures() == [*new.pictures(), None]
    assert bare.updated(new).folder == "/new"
