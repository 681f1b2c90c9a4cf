"""Charts and tables drawn, with the boxes of their names and of every number they show.

At any size: what has no room is left out, first the title and the labels of the axis; a label that
is too long is cut, and its box stays.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tastemaker.data.boxes import Axis, Box
from tastemaker.worlds.chart_bars import bars_lying, bars_upright, line
from tastemaker.worlds.chart_data import Chart, ChartKind
from tastemaker.worlds.chart_sheet import COLOURS, GRID, SHADE, Sheet, bands, blank

if TYPE_CHECKING:
    from PIL.Image import Image


@dataclass(frozen=True)
class Drawn:
    """A chart as a picture."""

    image: Image
    """RGB"""
    boxes: Mapping[Axis, Mapping[str, Box]]
    """by axis and name; the first row of a table is its head"""
    marks: Mapping[tuple[str, str], Box]
    """the bar, point, slice or cell of each number, by series and name"""


def drawn(chart: Chart, width: int, height: int) -> Drawn:
    """Draw a chart.

    Args:
        chart: What it shows.
        width: Pixels, 48 or more.
        height: Pixels, 48 or more.

    Raises:
        BadInput: If the library that draws is missing.
    """
    sheet = blank(width, height)
    if sheet.roomy:
        title = f"{' and '.join(chart.series)} by {chart.heading.lower()}"
        sheet.write(title, Box(0, 0, width, sheet.plot.y1))
    _DRAWERS[chart.kind](sheet, chart)
    return Drawn(sheet.image, sheet.boxes, sheet.marks)


def _pie(sheet: Sheet, chart: Chart) -> None:
    """Slices in the order of the names, from the top clockwise; labels inside them."""
    whole, total = sheet.plot, sum(chart.values[0])
    radius = math.floor(min(whole.x2 - whole.x1, whole.y2 - whole.y1) / 2) - 1
    middle = (round((whole.x1 + whole.x2) / 2), round((whole.y1 + whole.y2) / 2))
    round_box = (middle[0] - radius, middle[1] - radius, middle[0] + radius, middle[1] + radius)
    sheet.boxes["x_values"] = {}
    start = -90.0
    for n, (name, value) in enumerate(zip(chart.names, chart.values[0], strict=True)):
        end = start + 360 * value / total
        sheet.pen.pieslice(round_box, start, end, fill=COLOURS[n], outline=(255, 255, 255))
        box = _slice_box(middle, radius, start, end)
        sheet.boxes["x_values"][name] = sheet.marks[chart.series[0], name] = box
        angle, reach, size = math.radians((start + end) / 2), 0.65 * radius, sheet.font.size
        x, y = middle[0] + reach * math.cos(angle), middle[1] + reach * math.sin(angle)
        if end - start > 15:
            sheet.write(
                f"{name} {value}", Box(x - 3 * size, y - size / 2, x + 3 * size, y + size / 2)
            )
        start = end


def _slice_box(middle: tuple[int, int], radius: int, start: float, end: float) -> Box:
    """Around the middle, both ends of the arc, and what lies furthest out between them."""
    furthest = [a for a in range(-90, 271, 90) if start <= a <= end]
    angles = [math.radians(a) for a in (start, end, *furthest)]
    xs = [middle[0], *(middle[0] + radius * math.cos(a) for a in angles)]
    ys = [middle[1], *(middle[1] + radius * math.sin(a) for a in angles)]
    return Box(
        math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)) + 1, math.ceil(max(ys)) + 1
    )


def _table(sheet: Sheet, chart: Chart) -> None:
    whole = sheet.plot
    rows = bands(whole.y1, whole.y2, len(chart.names) + 1)
    columns = bands(whole.x1, whole.x2, len(chart.series) + 1)
    heads = (chart.heading, *chart.series)
    sheet.boxes["columns"] = {
        head: Box(columns[n], whole.y1, columns[n + 1], whole.y2) for n, head in enumerate(heads)
    }
    sheet.boxes["rows"] = {
        name: Box(whole.x1, rows[n], whole.x2, rows[n + 1])
        for n, name in enumerate((chart.heading, *chart.names))
    }
    sheet.fill(sheet.boxes["rows"][chart.heading], SHADE)
    for n, head in enumerate(heads):
        sheet.write(head, Box(columns[n] + 1, rows[0], columns[n + 1] - 1, rows[1]))
    for n, name in enumerate(chart.names, 1):
        sheet.write(name, Box(columns[0] + 1, rows[n], columns[1] - 1, rows[n + 1]))
        for m, series in enumerate(chart.series, 1):
            cell = Box(columns[m], rows[n], columns[m + 1], rows[n + 1])
            sheet.marks[series, name] = cell
            sheet.write(str(chart.values[m - 1][n - 1]), cell)
        sheet.fill(Box(whole.x1, rows[n], whole.x2, rows[n] + 1), GRID)


_DRAWERS: Mapping[ChartKind, Callable[[Sheet, Chart], None]] = {
    "v_bar": bars_upright,
    "grouped": bars_upright,
    "stacked": bars_upright,
    "h_bar": bars_lying,
    "line": line,
    "pie": _pie,
    "table": _table,
}
