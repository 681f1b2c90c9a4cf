import os
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.data.boxes import Box
from tastemaker.models.header_boxes import header_boxes
from tastemaker.models.picture_text import TextReader, Written
from tastemaker.models.pictures import read_picture
from tastemaker.worlds.chart_data import ChartKind, ChartOptions
from tastemaker.worlds.charts import AskedChart, AskedOptions, asked_chart

DATA = Path(os.environ.get("TASTEMAKER_DATA", "no such folder"))


def word(text: str, x: float, y: float, wide: float = 30, high: float = 10) -> Written:
    return Written(text, Box(x, y, x + wide, y + high), 0.99)


TABLE = [
    word(text, x, y)
    for y, line in ((40, "Year Sold Lost"), (60, "1990 7 3"), (80, "1991 5 9"))
    for x, text in zip((20, 120, 220), line.split(), strict=True)
]


def test_columns_and_rows_of_a_table_are_named_by_their_heads() -> None:
    boxes = header_boxes(TABLE, (300, 120), "table")
    assert list(boxes["columns"]) == ["Year", "Sold", "Lost"]
    assert list(boxes["rows"]) == ["Year", "1990", "1991"]
    assert boxes["columns"]["Sold"] == Box(85, 35, 185, 95)
    assert boxes["rows"]["1990"] == Box(0, 55, 285, 75)
    for piece in TABLE:
        inside = [
            name for name, box in boxes["columns"].items()
            if box.x1 <= piece.box.x1 and piece.box.x2 <= box.x2
        ]  # fmt: skip
        assert len(inside) == 1


def test_a_title_above_a_table_is_no_row_and_parts_no_columns() -> None:
    title = word("Sold and lost by year", 20, 10, wide=230)
    assert header_boxes([title, *TABLE], (300, 120), "table") == header_boxes(
        TABLE, (300, 120), "table"
    )


def test_a_head_of_several_lines_is_joined_where_one_does_not_tell_columns_apart() -> None:
    above = [word("Share of", 20, 20), word("Share of", 120, 20), word("Share of", 220, 20)]
    boxes = header_boxes([*above, *TABLE], (300, 120), "table")
    assert list(boxes["columns"]) == ["Share of Year", "Share of Sold", "Share of Lost"]
    assert list(boxes["rows"]) == ["Share of Year", "1990", "1991"]
    assert boxes["rows"]["Share of Year"].y2 == boxes["rows"]["1990"].y1 == 55


def test_a_name_that_stands_twice_is_that_of_the_first() -> None:
    again = [word("1990", 20, 100), word("8", 120, 100), word("8", 220, 100)]
    rows = header_boxes([*TABLE, *again], (300, 130), "table")["rows"]
    assert len(rows) == 3 and rows["1990"].y1 < 60


CHART = [
    *(
        word(name, 100 + 60 * n, 270, wide=40)
        for n, name in enumerate(("Ape", "Bee", "Cat", "Dog"))
    ),
    *(word(str(20 * n), 70 - 8 * (n > 0), 240 - 40 * n, wide=10 + 8 * (n > 0)) for n in range(5)),
    word("A title over all of it", 100, 10, wide=200),
]


def test_labels_of_both_axes_of_a_chart() -> None:
    named = [replace(one, text="least") if one.text == "0" else one for one in CHART]
    boxes = header_boxes(named, (400, 300), "chart")
    assert list(boxes["x_values"]) == ["Ape", "Bee", "Cat", "Dog"]
    assert boxes["x_values"]["Bee"] == Box(150, 0, 210, 280)
    assert list(boxes["y_values"]) == ["80", "60", "40", "20", "least"]
    assert all((box.x1, box.x2) == (0, 400) for box in boxes["y_values"].values())


@pytest.mark.parametrize("mark", ["{}", "${}", "{}%", "{},000", "-{}", "²"])
def test_numbers_from_0_on_are_a_scale_unless_nothing_else_is_named(mark: str) -> None:
    marked = [
        replace(one, text=mark.format(one.text)) if one.text.isdecimal() else one for one in CHART
    ]
    axes = header_boxes(marked, (400, 300), "chart").keys()
    assert axes == ({"x_values", "y_values"} if mark == "²" else {"x_values"})
    alone = [one for one in marked if one.box.x1 < 90]
    assert header_boxes(alone, (400, 300), "chart").keys() == {"y_values"}


@pytest.mark.parametrize("kind", ["table", "chart"])
def test_without_text_there_are_no_boxes(kind: str) -> None:
    assert header_boxes([], (100, 100), kind) == {}
    for many in range(1, 4):
        header_boxes(TABLE[:many], (300, 120), kind)


def drawn(kind: ChartKind) -> AskedChart:
    return asked_chart(
        ChartOptions((kind,), 480, 360, most=5, series=2, seed=5), AskedOptions(), "test", 1
    )


@pytest.fixture(scope="module")
def read() -> TextReader:
    pytest.importorskip("rapidocr_onnxruntime", reason="needs tastemaker[ocr]")
    return TextReader()


@pytest.mark.parametrize("kind", ["table", "v_bar", "h_bar"])
def test_boxes_that_are_read_are_those_that_were_drawn(read: TextReader, kind: ChartKind) -> None:
    one = drawn(kind)
    found = header_boxes(read(one.drawn.image), one.drawn.image.size, kind)
    for axis, wanted in one.drawn.boxes.items():
        assert list(found[axis]) == list(wanted)
        for name, box in wanted.items():
            near = found[axis][name]
            if axis in ("columns", "x_values"):
                assert abs(near.x1 + near.x2 - box.x1 - box.x2) < 0.5 * (box.x2 - box.x1)
            else:
                assert abs(near.y1 + near.y2 - box.y1 - box.y2) < 0.5 * (box.y2 - box.y1)


@pytest.mark.skipif(not (DATA / "tabmwp").is_dir(), reason="needs tabmwp in TASTEMAKER_DATA")
def test_columns_of_a_real_table(read: TextReader) -> None:
    image = read_picture(DATA / "tabmwp/tables/26284.png")
    boxes = header_boxes(read(image), image.size, "table")
    columns, rows = list(boxes["columns"]), list(boxes["rows"])
    assert [name.split()[-1] for name in columns] == ["branches", "oranges"]
    assert rows[1:] == ["1", "2", "3", "4"]
