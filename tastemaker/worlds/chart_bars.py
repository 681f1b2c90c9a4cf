"""Bars, upright and lying, and lines: values along an axis, on a sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tastemaker.data.boxes import Box
from tastemaker.worlds.chart_data import LARGEST, Chart
from tastemaker.worlds.chart_sheet import COLOURS, GRID, Sheet, bands

_STEP = 20


def bars_upright(sheet: Sheet, chart: Chart) -> None:
    """Single, grouped and stacked bars: a column of the plot a name."""
    stacked = chart.kind == "stacked"
    most = sum(max(row) for row in chart.values) if stacked else LARGEST + 1
    plot, columns = _upright_plot(sheet, chart, most)
    sheet.boxes["x_values"] = columns
    for place, (name, column) in enumerate(columns.items()):
        numbers = [row[place] for row in chart.values]
        parts = (_stacked if stacked else _beside)(column, plot, numbers, most)
        for row, part in enumerate(parts):
            sheet.marks[chart.series[row], name] = part
            sheet.fill(part, COLOURS[row])
    _legend(sheet, chart)


def _beside(column: Box, plot: Box, numbers: Sequence[int], most: int) -> list[Box]:
    gap = max(1, (column.x2 - column.x1) // 8)
    wide = (column.x2 - column.x1 - 2 * gap) / len(numbers)
    lefts = [round(column.x1 + gap + wide * n) for n in range(len(numbers) + 1)]
    tops = [min(_level(plot, number, most), int(plot.y2) - 1) for number in numbers]
    return [
        Box(lefts[n], top, max(lefts[n + 1], lefts[n] + 1), plot.y2) for n, top in enumerate(tops)
    ]


def _stacked(column: Box, plot: Box, numbers: Sequence[int], most: int) -> list[Box]:
    """Upon each other; one that is lower than a pixel may have none."""
    gap = max(1, (column.x2 - column.x1) // 8)
    sums = [sum(numbers[:n]) for n in range(len(numbers) + 1)]
    return [
        Box(column.x1 + gap, _level(plot, high, most), column.x2 - gap, _level(plot, low, most))
        for low, high in zip(sums, sums[1:], strict=False)
    ]


def _level(plot: Box, number: float, most: int) -> int:
    """The y of a number in an upright plot."""
    return round(plot.y2 - (plot.y2 - plot.y1) * number / most)


def _upright_plot(sheet: Sheet, chart: Chart, most: int) -> tuple[Box, dict[str, Box]]:
    """Axis, grid and labels; the plot, and the column of each name with its label below."""
    whole, size = sheet.plot, sheet.font.size
    left = whole.x1 + (round(3 * size) if sheet.roomy else 0)
    bottom = whole.y2 - round(1.5 * size) - (round(1.5 * size) if len(chart.series) > 1 else 0)
    plot = Box(left, whole.y1 + 1, whole.x2, bottom)
    step = max(_STEP, math.ceil(most / 6 / _STEP) * _STEP)
    for tick in range(0, most + 1, step):
        y = _level(plot, tick, most)
        sheet.fill(Box(plot.x1, y, plot.x2, y + 1), GRID)
        if sheet.roomy:
            sheet.write(str(tick), Box(whole.x1, y - size / 2, left - 2, y + size / 2))
    edges = bands(plot.x1, plot.x2, len(chart.names))
    labels = bottom + round(1.5 * size)
    columns = {}
    for n, name in enumerate(chart.names):
        columns[name] = Box(edges[n], plot.y1, edges[n + 1], labels)
        sheet.write(name, Box(edges[n], bottom + 1, edges[n + 1], labels))
    return plot, columns


def _legend(sheet: Sheet, chart: Chart) -> None:
    """What the colours stand for, along the lower edge, where there is more than one."""
    if len(chart.series) < 2:
        return
    size, wide = sheet.font.size, sheet.image.width / len(chart.series)
    top = sheet.plot.y2 - 1.3 * size
    for n, name in enumerate(chart.series):
        left = n * wide + 2
        sheet.fill(Box(left, top, left + size, sheet.plot.y2), COLOURS[n])
        sheet.write(name, Box(left + size, top, left + wide - 2, sheet.plot.y2))


def bars_lying(sheet: Sheet, chart: Chart) -> None:
    """Single bars from the left: a band of the plot a name."""
    whole, size = sheet.plot, sheet.font.size
    left = whole.x1 + round(min(5 * size, (whole.x2 - whole.x1) / 4))
    end = whole.y2 - (round(1.5 * size) if sheet.roomy else 0)
    edges = bands(whole.y1, end, len(chart.names))
    for tick in range(0, LARGEST + 1, _STEP):
        x = round(left + (whole.x2 - left) * tick / (LARGEST + 1))
        sheet.fill(Box(x, whole.y1, x + 1, end), GRID)
        if sheet.roomy:
            sheet.write(str(tick), Box(x - size, end, x + size, whole.y2))
    sheet.boxes["y_values"] = {}
    for n, name in enumerate(chart.names):
        top, bottom = edges[n], edges[n + 1]
        gap = max(1, (bottom - top) // 8)
        right = round(left + (whole.x2 - left) * chart.values[0][n] / (LARGEST + 1))
        sheet.boxes["y_values"][name] = Box(whole.x1, top, whole.x2, bottom)
        bar = Box(left, top + gap, max(right, left + 1), bottom - gap)
        sheet.marks[chart.series[0], name] = bar
        sheet.fill(bar, COLOURS[0])
        sheet.write(name, Box(whole.x1, top, left - 1, bottom))


def line(sheet: Sheet, chart: Chart) -> None:
    """Points that a line joins: a column of the plot a name."""
    plot, columns = _upright_plot(sheet, chart, LARGEST + 1)
    sheet.boxes["x_values"] = columns
    radius = max(1, round(sheet.font.size / 4))
    points = []
    for n, (name, column) in enumerate(columns.items()):
        x, y = (column.x1 + column.x2) / 2, _level(plot, chart.values[0][n], LARGEST + 1)
        points.append((x, y))
        mark = Box(round(x) - radius, y - radius, round(x) + radius + 1, y + radius + 1)
        sheet.marks[chart.series[0], name] = mark
    sheet.pen.line(points, fill=COLOURS[0], width=max(1, radius // 2))
    for mark in sheet.marks.values():
        sheet.fill(mark, COLOURS[0])
