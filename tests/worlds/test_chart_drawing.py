import numpy as np
import pytest

from tastemaker.worlds.chart_data import KINDS, Chart, ChartKind, ChartOptions, chart
from tastemaker.worlds.chart_drawing import Drawn, drawn
from tastemaker.worlds.chart_sheet import COLOURS

pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
SIZES = ((48, 48), (60, 200), (400, 300), (800, 600))


def some(kind: ChartKind, width: int, height: int, seed: int = 0) -> tuple[Chart, Drawn]:
    most, series = (6, 3) if width < 100 else (12, 4)
    options = ChartOptions((kind,), width, height, most=most, series=series)
    shown = chart(options, np.random.default_rng(seed))
    return shown, drawn(shown, width, height)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_box_lies_in_the_picture_at_every_size(
    kind: ChartKind, size: tuple[int, int]
) -> None:
    for seed in range(3):
        shown, made = some(kind, *size, seed)
        assert made.image.size == size and made.image.mode == "RGB"
        boxes = [box for boxes in made.boxes.values() for box in boxes.values()]
        for box in [*boxes, *made.marks.values()]:
            assert 0 <= box.x1 < box.x2 <= size[0]
            assert 0 <= box.y1 < box.y2 + (kind == "stacked") and box.y2 <= size[1]
        assert set(made.marks) == {(s, name) for s in shown.series for name in shown.names}


AXES = {"h_bar": {"y_values"}, "table": {"columns", "rows"}}


@pytest.mark.parametrize("kind", KINDS)
def test_names_have_boxes_on_the_axes_of_their_kind_and_hold_their_marks(kind: ChartKind) -> None:
    shown, made = some(kind, 400, 300)
    assert set(made.boxes) == AXES.get(kind, {"x_values"})
    axis = next(iter(set(made.boxes) - {"columns"}))
    names = [shown.heading, *shown.names] if kind == "table" else [*shown.names]
    assert list(made.boxes[axis]) == names
    for (series, name), mark in made.marks.items():
        box = made.boxes[axis][name]
        assert box.x1 <= mark.x1 and mark.x2 <= box.x2
        assert box.y1 <= mark.y1 and mark.y2 <= box.y2
        if kind == "table":
            column = made.boxes["columns"][series]
            assert (mark.x1, mark.x2) == (column.x1, column.x2)


@pytest.mark.parametrize("kind", ["v_bar", "grouped", "stacked", "h_bar"])
def test_bars_are_as_long_as_their_numbers_and_of_the_colour_of_their_series(
    kind: ChartKind,
) -> None:
    shown, made = some(kind, 800, 600, seed=1)
    pixels = np.array(made.image)
    for row, series in enumerate(shown.series):
        marks = [made.marks[series, name] for name in shown.names]
        long = [m.x2 - m.x1 if kind == "h_bar" else m.y2 - m.y1 for m in marks]
        unit = max(long) / max(shown.values[row])
        assert np.allclose(long, np.array(shown.values[row]) * unit, atol=1.6)
        for mark in marks:
            inside = pixels[int(mark.y1) : int(mark.y2), int(mark.x1) : int(mark.x2)]
            assert (inside == COLOURS[row]).all()


def test_points_of_a_line_stand_at_their_numbers() -> None:
    shown, made = some("line", 800, 600)
    marks = list(made.marks.values())
    heights = [-(m.y1 + m.y2) / 2 for m in marks]
    assert np.corrcoef(heights, shown.values[0])[0, 1] > 0.999


def test_slices_of_a_pie_are_as_large_as_their_numbers() -> None:
    shown, made = some("pie", 400, 400)
    pixels = np.array(made.image)
    seen = np.array([(pixels == COLOURS[n]).all(-1).sum() for n in range(len(shown.names))])
    shares = np.array(shown.values[0]) / sum(shown.values[0])
    assert np.allclose(seen / seen.sum(), shares, atol=0.04)  # labels cover some of them
    for n, name in enumerate(shown.names):
        y, x = np.nonzero((pixels == COLOURS[n]).all(-1))
        box = made.boxes["x_values"][name]
        assert box.x1 <= x.min() and x.max() < box.x2 and box.y1 <= y.min() and y.max() < box.y2


def test_numbers_of_a_table_are_written_into_their_cells() -> None:
    shown, made = some("table", 400, 300)
    dark = np.array(made.image.convert("L")) < 128
    for mark in made.marks.values():
        assert dark[int(mark.y1) : int(mark.y2), int(mark.x1) : int(mark.x2)].any()
