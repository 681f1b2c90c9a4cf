import pytest

from tastemaker.data.boxes import Box
from tastemaker.errors import BadInput


def test_a_box_is_the_pixels_from_its_first_corner_up_to_its_second() -> None:
    assert Box(2, 3, 5, 8).pixels(10, 10) == (2, 3, 5, 8)
    assert Box(1.6, 2.4, 5, 8).pixels(10, 10) == (2, 2, 5, 8)


def test_a_box_is_cut_to_the_picture() -> None:
    assert Box(-5, -5, 50, 4).pixels(10, 20) == (0, 0, 10, 4)
    assert Box(2, 2, 4, 4).pixels(10, 10, pad=3) == (0, 0, 7, 7)


@pytest.mark.parametrize(
    "box", [Box(20, 0, 30, 5), Box(-9, 0, -2, 5), Box(4, 4, 4, 9), Box(6, 2, 3, 9)]
)
def test_a_box_outside_or_without_an_inside_has_no_pixels(box: Box) -> None:
    assert box.pixels(10, 10) is None
    assert box.pixels(10, 10, pad=1) is None


@pytest.mark.parametrize("corner", [float("nan"), float("inf")])
def test_a_corner_is_a_number(corner: float) -> None:
    with pytest.raises(BadInput, match="no number"):
        Box(0, 0, corner, 1)


def test_a_box_is_written_by_its_corners() -> None:
    assert Box(**Box(1, 2, 3, 4).fields) == Box(1, 2, 3, 4)
