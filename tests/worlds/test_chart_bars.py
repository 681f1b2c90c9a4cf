import pytest

from tastemaker.worlds.chart_bars import bars_lying, bars_upright, line
from tastemaker.worlds.chart_data import Chart, ChartKind
from tastemaker.worlds.chart_sheet import blank

pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
NAMES = ("1990", "1991", "1992")


def shown(kind: ChartKind, *rows: tuple[int, ...]) -> Chart:
    return Chart(kind, "Year", NAMES, ("Sold", "Lost")[: len(rows)], rows)


def test_the_smallest_number_has_a_pixel_and_the_order_is_that_of_the_numbers() -> None:
    sheet = blank(48, 48)
    bars_upright(sheet, shown("v_bar", (1, 99, 50)))
    high = [mark.y2 - mark.y1 for mark in sheet.marks.values()]
    assert high[0] >= 1 and high[1] > high[2] > high[0]


def test_columns_lie_side_by_side_over_the_whole_plot() -> None:
    for draw, chart in (
        (bars_upright, shown("v_bar", (5, 6, 7))),
        (line, shown("line", (5, 6, 7))),
    ):
        sheet = blank(400, 300)
        draw(sheet, chart)
        boxes = list(sheet.boxes["x_values"].values())
        assert [box.x2 for box in boxes[:-1]] == [box.x1 for box in boxes[1:]]


def test_bands_of_lying_bars_lie_below_each_other() -> None:
    sheet = blank(400, 300)
    bars_lying(sheet, shown("h_bar", (5, 60, 7)))
    boxes = list(sheet.boxes["y_values"].values())
    assert [box.y2 for box in boxes[:-1]] == [box.y1 for box in boxes[1:]]
    wide = [mark.x2 - mark.x1 for mark in sheet.marks.values()]
    assert wide[1] > wide[2] > wide[0]


def test_stacked_bars_stand_upon_each_other() -> None:
    sheet = blank(400, 300)
    bars_upright(sheet, shown("stacked", (30, 20, 10), (5, 40, 9)))
    for name in NAMES:
        low, high = sheet.marks["Sold", name], sheet.marks["Lost", name]
        assert low.y1 == high.y2 and (low.x1, low.x2) == (high.x1, high.x2)
