"""Every item has a text, or a text stands for it."""

import polars as pl
import pytest

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.item_texts import item_texts
from tastemaker.errors import BadInput


def catalog(titles: list[str | None]) -> Catalog:
    ids = [f"i{n}" for n in range(len(titles))]
    frame = pl.DataFrame({"item_id": ids, "title": titles}, schema_overrides={"title": pl.String})
    missing = [pl.lit(None).cast(kind).alias(n) for n, kind in SCHEMA.items() if n not in frame]
    return Catalog(frame.with_columns(missing).select(list(SCHEMA)))


def test_a_text_stands_for_items_without_one() -> None:
    assert item_texts(catalog(["Red", None, ""]), "nothing") == [
        "title: Red",
        "nothing",
        "nothing",
    ]


def test_items_without_text_are_named() -> None:
    assert item_texts(catalog(["Red"]), "") == ["title: Red"]
    with pytest.raises(BadInput, match="2 of 3 items have no text, such as i1, i2"):
        item_texts(catalog(["Red", None, ""]), "")
