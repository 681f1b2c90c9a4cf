"""Header boxes: columns, rows and labelled values of a picture, from where its text stands.

Nobody has annotated a picture from the street. Pieces of text that stand below each other make a
column, side by side a row; the first of each names it. Of a chart, the row that holds most pieces
has the labels of the upright values, and the best aligned pile of pieces those of the lying ones;
numbers from 0 on are a scale, and name nothing where the other axis does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tastemaker.data.boxes import Axis, Box, Boxes
from tastemaker.models.picture_text import Written

_SAME_LINE = 0.5
"""Heights of the lower of two pieces by which their middles may differ on one line."""
_ALIGNED = 0.75
"""Heights of text that edges of a pile may differ by."""
_DEEPEST = 3
"""Lines of the head of a table."""
_FEWEST = 3
"""Labels of an axis."""


@dataclass
class _Span:
    """A range of x, and the pieces in it."""

    low: float
    high: float
    pieces: list[Written]


def header_boxes(pieces: Sequence[Written], size: tuple[int, int], kind: str) -> dict[Axis, Boxes]:
    """Boxes by axis and name.

    Args:
        pieces: Text of the picture, in any order.
        size: Width and height of the picture.
        kind: `table`, or any chart.

    Returns:
        Axes of which something was found; none for a picture without text. Of pieces that say the
        same, the first names a box.
    """
    boxes = _table(pieces, size) if kind == "table" else _chart(pieces, size)
    return {axis: some for axis, some in boxes.items() if some}


def _table(pieces: Sequence[Written], size: tuple[int, int]) -> dict[Axis, Boxes]:
    lines = _lines(pieces)
    widest = max(map(len, lines), default=0)
    # A title, or a note below, is a line of its own.
    lines = [line for line in lines if len(line) > 1 or widest == 1]
    spans = _spans([one for line in lines for one in line])
    if not lines:
        return {}
    width, height = size
    lefts = _edges([(span.low, span.high) for span in spans], width)
    tops = _edges([_across(line) for line in lines], height)
    heads, deep = _heads(spans, lines)
    columns: dict[str, Box] = {}
    for n, head in enumerate(heads):
        columns.setdefault(head, Box(lefts[n], tops[0], lefts[n + 1], tops[-1]))
    rows = {heads[0]: Box(lefts[0], tops[0], lefts[-1], tops[deep])}
    for n, line in enumerate(lines[deep:], deep):
        rows.setdefault(line[0].text, Box(lefts[0], tops[n], lefts[-1], tops[n + 1]))
    return {"columns": columns, "rows": rows}


def _heads(spans: Sequence[_Span], lines: Sequence[Sequence[Written]]) -> tuple[list[str], int]:
    """The names of columns, and of how many lines they are: as many as tell them apart."""
    heads: list[str] = []
    for deep in range(1, min(len(lines), _DEEPEST) + 1):
        first = [one for line in lines[:deep] for one in line]
        first.sort(key=lambda one: one.box.y1)
        heads = [" ".join(one.text for one in first if one in span.pieces) for span in spans]
        if len(set(heads)) == len(heads):
            return heads, deep
    return [head or str(n) for n, head in enumerate(heads, 1)], 1


def _chart(pieces: Sequence[Written], size: tuple[int, int]) -> dict[Axis, Boxes]:
    width, height = size
    found: dict[Axis, Boxes] = {}
    line = max(_lines(pieces), key=lambda line: (len(line), line[0].box.y1), default=[])
    if len(line) >= _FEWEST:
        edges = _edges([(one.box.x1, one.box.x2) for one in line], width)
        bottom = min(max(one.box.y2 for one in line), height)
        found["x_values"] = _named(line, lambda n: Box(edges[n], 0, edges[n + 1], bottom))
    pile = _pile([one for one in pieces if one.box.x1 < width / 2], without=line)
    if len(pile) >= _FEWEST:
        levels = _edges([(one.box.y1, one.box.y2) for one in pile], height)
        found["y_values"] = _named(pile, lambda n: Box(0, levels[n], width, levels[n + 1]))
    return _without_scales(found)


def _without_scales(boxes: dict[Axis, Boxes]) -> dict[Axis, Boxes]:
    """Without an axis of numbers from 0 on, where another names what is shown."""
    named = {axis: some for axis, some in boxes.items() if not _is_scale(list(some))}
    return named or boxes


def _is_scale(labels: Sequence[str]) -> bool:
    plain = [label.strip("$€£%KMBk ").replace(",", "").replace(".", "", 1) for label in labels]
    return all(one.lstrip("-").isdecimal() for one in plain) and any(not int(one) for one in plain)


def _named(pieces: Sequence[Written], box: Callable[[int], Box]) -> dict[str, Box]:
    named: dict[str, Box] = {}
    for n, one in enumerate(pieces):
        named.setdefault(one.text, box(n))
    return named


def _lines(pieces: Sequence[Written]) -> list[list[Written]]:
    """Pieces that stand beside each other, from the top down, each line from the left."""
    lines: list[list[Written]] = []
    for one in sorted(pieces, key=lambda piece: piece.box.y1 + piece.box.y2):
        if lines and _beside(lines[-1][-1].box, one.box):
            lines[-1].append(one)
        else:
            lines.append([one])
    return [sorted(line, key=lambda one: one.box.x1) for line in lines]


def _beside(one: Box, other: Box) -> bool:
    apart = abs(one.y1 + one.y2 - other.y1 - other.y2) / 2
    return apart <= _SAME_LINE * min(one.y2 - one.y1, other.y2 - other.y1)


def _across(line: Sequence[Written]) -> tuple[float, float]:
    return min(one.box.y1 for one in line), max(one.box.y2 for one in line)


def _spans(pieces: Sequence[Written]) -> list[_Span]:
    """Columns: pieces that stand above or below others, from the left to the right."""
    spans: list[_Span] = []
    for one in sorted(pieces, key=lambda piece: piece.box.x1):
        if spans and one.box.x1 < spans[-1].high:
            spans[-1].high = max(spans[-1].high, one.box.x2)
            spans[-1].pieces.append(one)
        else:
            spans.append(_Span(one.box.x1, one.box.x2, [one]))
    return spans


def _pile(pieces: Sequence[Written], without: Sequence[Written]) -> list[Written]:
    """The largest pile of pieces whose left or right edges are in line, from the top down."""
    free = [one for one in pieces if one not in without]
    best: list[Written] = []
    for one in free:
        near = _ALIGNED * (one.box.y2 - one.box.y1)
        for pile in (
            [other for other in free if abs(other.box.x2 - one.box.x2) <= near],
            [other for other in free if abs(other.box.x1 - one.box.x1) <= near],
        ):
            best = max(best, pile, key=len)
    return sorted(best, key=lambda one: one.box.y1)


def _edges(ranges: Sequence[tuple[float, float]], end: int) -> list[float]:
    """Edges of cells around ranges that follow each other: in the middle between neighbours."""
    inner = [
        (before + after) / 2 for (_, before), (after, _) in zip(ranges, ranges[1:], strict=False)
    ]
    (first, last), stop = ranges[0], ranges[-1][1]
    gaps = [after - before for (_, before), (after, _) in zip(ranges, ranges[1:], strict=False)]
    margin = max(sum(gaps) / len(gaps) / 2, 0) if gaps else (last - first) / 2
    return [max(first - margin, 0), *inner, min(stop + margin, end)]
