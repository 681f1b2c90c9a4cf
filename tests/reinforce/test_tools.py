import time

import numpy as np
import numpy.typing as npt
import pytest

from tastemaker.data.boxes import AXES, Axis, Box
from tastemaker.reinforce.tools import (
    ALPHA,
    MOST_NAMES,
    TOOLS,
    WIDTH,
    Effect,
    Tool,
    ToolFault,
    differ,
)

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
Pixels = npt.NDArray[np.uint8]

HIGH, WIDE = 40, 60
COLUMNS = {"Year": Box(0, 0, 20, 40), "Team": Box(20, 0, 40, 40), "Won": Box(40, 0, 60, 40)}
ROWS = {"head": Box(0, 0, 60, 10), "1990": Box(0, 12, 60, 20), "1991": Box(0, 22, 60, 30)}


def noise() -> Pixels:
    """No pixel of it is white or red."""
    return np.random.default_rng(0).integers(10, 200, (HIGH, WIDE, 3), dtype=np.uint8)


def edited(axis: Axis, effect: Effect, names: list[str], boxes: dict[str, Box]) -> Pixels:
    image = Image.fromarray(noise())
    made = np.array(Tool(axis, effect)(image, names, boxes))
    assert np.array_equal(np.array(image), noise()), "the picture that was given has changed"
    return made


def inside(*boxes: Box, pad: int = 0) -> npt.NDArray[np.bool_]:
    """Pixel by pixel, by the plain definition of a box."""
    y, x = np.mgrid[:HIGH, :WIDE]
    every = np.zeros((HIGH, WIDE), bool)
    for box in boxes:
        across = (box.x1 - pad <= x) & (x < box.x2 + pad)
        every |= across & (box.y1 - pad <= y) & (y < box.y2 + pad)
    return every


def test_there_are_twelve_tools() -> None:
    assert len(TOOLS) == 12
    assert TOOLS["focus_on_x_values_with_draw"] == Tool("x_values", "draw")


@pytest.mark.parametrize("axis", [axis for axis in AXES if axis != "rows"])
def test_a_mask_whitens_the_other_boxes_and_no_pixel_else(axis: Axis) -> None:
    made = edited(axis, "mask", ["Team"], COLUMNS)
    white = inside(COLUMNS["Year"], COLUMNS["Won"], pad=1) & ~inside(COLUMNS["Team"])
    assert (made[white] == 255).all()
    assert np.array_equal(made[~white], noise()[~white])


def test_a_mask_of_rows_leaves_the_head_of_the_table() -> None:
    made = edited("rows", "mask", ["1991"], ROWS)
    white = inside(ROWS["1990"], pad=1)
    assert (made[white] == 255).all()
    assert np.array_equal(made[~white], noise()[~white])


@pytest.mark.parametrize(
    ("axis", "names"),
    [("rows", ["head"]), ("rows", ["nothing"]), ("columns", ["nothing"]), ("columns", [])],
)
def test_a_mask_under_which_all_would_vanish_changes_nothing(axis: Axis, names: list[str]) -> None:
    boxes = ROWS if axis == "rows" else COLUMNS
    assert np.array_equal(edited(axis, "mask", names, boxes), noise())


@pytest.mark.parametrize("effect", ["mask", "draw", "highlight"])
@pytest.mark.parametrize("names", [["Team"], ["Team", "Nobody"], ["Nobody"], []])
def test_unknown_names_are_passed_over_and_said(effect: Effect, names: list[str]) -> None:
    known = [name for name in names if name in COLUMNS]
    assert np.array_equal(
        edited("columns", effect, names, COLUMNS), edited("columns", effect, known, COLUMNS)
    )
    focused = Tool("columns", effect).focus(Image.fromarray(noise()), names, COLUMNS)
    assert focused.named == tuple(known)
    assert focused.unknown == tuple(name for name in names if name == "Nobody")
    assert len(focused.notes(COLUMNS)) == len(focused.unknown)


def test_boxes_without_a_name_or_no_boxes_change_nothing() -> None:
    for tool in TOOLS.values():
        assert np.array_equal(np.array(tool(Image.fromarray(noise()), ["Year"], {})), noise())


def test_an_outline_is_three_pixels_two_of_them_outside() -> None:
    made = edited("x_values", "draw", ["Team"], {"Team": Box(20, 10, 40, 30)})
    ring = inside(Box(20, 10, 40, 30), pad=2) & ~inside(Box(20, 10, 40, 30), pad=2 - WIDTH)
    assert (made[ring] == (255, 0, 0)).all()
    assert np.array_equal(made[~ring], noise()[~ring])


def test_a_highlight_is_transparent_red_and_no_redder_where_boxes_overlap() -> None:
    boxes = {"a": Box(5, 5, 30, 20), "b": Box(20, 10, 50, 35)}
    made = edited("y_values", "highlight", ["a", "b"], boxes)
    under = inside(*boxes.values(), pad=2)
    share = ALPHA / 255
    wanted = noise() * (1 - share) + np.array([255, 0, 0]) * share
    assert np.abs(made[under] - wanted[under]).max() <= 1
    assert np.array_equal(made[~under], noise()[~under])
    layer = Image.new("RGBA", (WIDE, HIGH))
    layer.paste((255, 0, 0, ALPHA), (3, 3, 32, 22))
    composed = Image.alpha_composite(Image.fromarray(noise()).convert("RGBA"), layer)
    alone = edited("y_values", "highlight", ["a"], boxes)
    assert np.abs(np.array(composed)[..., :3].astype(int) - alone).max() <= 1


@pytest.mark.parametrize("effect", ["mask", "draw", "highlight"])
def test_boxes_are_cut_to_the_picture(effect: Effect) -> None:
    boxes = {"half": Box(50, 30, 900, 900), "none": Box(700, 0, 800, 10), "all": Box(-9, -9, 99, 9)}
    for name in boxes:
        assert edited("columns", effect, [name], boxes).shape == (HIGH, WIDE, 3)
    made = edited("columns", "mask", ["all"], boxes)
    white = inside(boxes["half"], pad=1) & ~inside(boxes["all"])
    assert (made[white] == 255).all() and np.array_equal(made[~white], noise()[~white])


def test_overlapping_boxes_keep_what_is_named() -> None:
    boxes = {"a": Box(0, 0, 40, 40), "b": Box(20, 0, 60, 40)}
    made = edited("columns", "mask", ["a"], boxes)
    assert np.array_equal(made[:, :40], noise()[:, :40])
    assert (made[:, 40:] == 255).all()


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "I;16"])
def test_pictures_of_any_mode_give_rgb(mode: str) -> None:
    image = Image.new(mode, (WIDE, HIGH))
    for tool in TOOLS.values():
        made = tool(image, ["Team"], COLUMNS)
        assert made.mode == "RGB" and made.size == (WIDE, HIGH)


def test_a_near_name_counts_only_where_it_is_asked_for() -> None:
    image, tool = Image.fromarray(noise()), TOOLS["focus_on_columns_with_draw"]
    assert tool.focus(image, [" TEAM "], COLUMNS).unknown == (" TEAM ",)
    assert "'Team'" in tool.focus(image, ["Taem"], COLUMNS).notes(COLUMNS)[0]
    assert tool.focus(image, [" TEAM "], COLUMNS, fuzzy=True).named == ("Team",)
    assert tool.focus(image, ["Teams"], COLUMNS, fuzzy=True).named == ("Team",)
    assert tool.focus(image, ["xylophone"], COLUMNS, fuzzy=True).unknown == ("xylophone",)
    told = tool.focus(image, ["xylophone"], COLUMNS).notes(COLUMNS)[0]
    assert all(name in told for name in COLUMNS)


def test_one_pixel_makes_pictures_differ() -> None:
    image = Image.fromarray(noise())
    other = image.copy()
    assert not differ(image, other)
    other.putpixel((3, 2), (image.getpixel((3, 2))[0] ^ 1, *image.getpixel((3, 2))[1:]))
    assert differ(image, other)


def test_names_are_bounded() -> None:
    image, many = Image.fromarray(noise()), [f"n{n}" for n in range(MOST_NAMES + 1)]
    for tool in TOOLS.values():
        tool(image, many[:MOST_NAMES], COLUMNS)
        with pytest.raises(ToolFault, match="at most 64"):
            tool(image, many, COLUMNS)


@pytest.mark.parametrize("fuzzy", [False, True])
def test_names_that_are_hard_to_compare_take_no_long_time(fuzzy: bool) -> None:
    boxes = {"ab" * 90 + f"{n:03}": Box(0, 0, 9, 9) for n in range(200)}
    names = ["ba" * 90 + f"{n}" for n in range(MOST_NAMES)]
    started = time.process_time()
    focused = TOOLS["focus_on_rows_with_draw"].focus(
        Image.fromarray(noise()), names, boxes, fuzzy=fuzzy
    )
    assert len(focused.notes(boxes)) <= 3
    assert time.process_time() - started < 3
