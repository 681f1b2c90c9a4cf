import builtins

import numpy as np
import pytest

from tastemaker.data.boxes import Box
from tastemaker.errors import BadInput
from tastemaker.worlds.chart_sheet import COLOURS, bands, blank

pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")


def ink(text: str, box: Box) -> np.ndarray:
    sheet = blank(200, 200)
    sheet.write(text, box)
    return np.argwhere(np.array(sheet.image.convert("L")) < 128)


def test_a_filled_box_is_just_its_pixels() -> None:
    sheet = blank(50, 60)
    sheet.fill(Box(10, 20, 30, 25), COLOURS[0])
    sheet.fill(Box(70, 20, 80, 25), COLOURS[1])
    coloured = (np.array(sheet.image) != 255).any(-1)
    assert coloured.sum() == 100 and coloured[20:25, 10:30].all()


def test_a_text_is_cut_to_the_width_of_its_box_and_left_out_where_nothing_fits() -> None:
    whole = ink("Tomatoes", Box(0, 0, 200, 40))
    cut = ink("Tomatoes", Box(80, 80, 110, 100))
    assert 0 < len(cut) < len(whole)
    assert cut[:, 1].min() >= 79 and cut[:, 1].max() <= 110
    assert len(ink("Tomatoes", Box(80, 80, 82, 100))) == len(ink("T", Box(0, 0, 90, 2))) == 0


def test_of_a_year_the_end_is_kept() -> None:
    box = Box(80, 80, 94, 100)
    assert np.array_equal(ink("1987", box), ink("87", box))


def test_bands_cover_their_range() -> None:
    assert bands(0, 10, 3) == [0, 3, 7, 10]


def test_small_sheets_have_no_room_for_a_title() -> None:
    assert blank(400, 300).roomy and not blank(400, 48).roomy


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "PIL":
            raise ImportError("No module named 'PIL'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadInput, match=r"tastemaker\[vision\]"):
        blank(48, 48)
