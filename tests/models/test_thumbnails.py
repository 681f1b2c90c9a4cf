"""Small copies of pictures."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tastemaker.errors import BadInput
from tastemaker.models import pictures
from tastemaker.models.thumbnails import thumbnail


def small(path: Path, longest: int = 320) -> Image.Image:
    picture = Image.open(io.BytesIO(thumbnail(path, longest)))
    assert picture.format == "JPEG"
    return picture


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "CMYK", "1"])
def test_any_mode_is_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("a.tiff" if mode == "CMYK" else "a.png")
    Image.new("RGB", (800, 200), (200, 200, 200)).convert(mode).save(path)
    assert small(path).size == (320, 80) and small(path, 100).size == (100, 25)


def test_small_pictures_stay_small_and_clear_ones_are_on_white(tmp_path: Path) -> None:
    Image.new("RGBA", (30, 20), (0, 0, 0, 0)).save(tmp_path / "clear.png")
    shown = small(tmp_path / "clear.png")
    assert shown.size == (30, 20) and np.asarray(shown).min() > 240


def test_what_is_no_picture_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\nnothing")
    with pytest.raises(BadInput):
        thumbnail(tmp_path / "a.png")
    with pytest.raises(BadInput):
        thumbnail(tmp_path / "gone.png")
    Image.new("RGB", (40, 40)).save(tmp_path / "b.png")
    monkeypatch.setattr(pictures, "MOST_PIXELS", 1_000)
    with pytest.raises(BadInput):
        thumbnail(tmp_path / "b.png")


@pytest.mark.parametrize("kind", [np.uint16, np.int32])
def test_more_than_eight_bits_a_colour_are_scaled_and_not_white(tmp_path: Path, kind: type) -> None:
    path = tmp_path / ("a.png" if kind is np.uint16 else "a.tiff")
    Image.fromarray(np.full((20, 30), 128 * 256, kind)).save(path)
    assert np.abs(np.asarray(small(path)).astype(int) - 128).max() <= 2


def test_fractions_for_colours_are_refused(tmp_path: Path) -> None:
    """Nothing tells whether they go to 1 or to 255: a guess would be black or white."""
    Image.fromarray(np.full((20, 30), 0.5, np.float32)).save(tmp_path / "a.tiff")
    with pytest.raises(BadInput):
        thumbnail(tmp_path / "a.tiff")


def test_of_an_animation_the_first_frame_is_shown(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in ("red", "blue")]
    for name in ("a.gif", "a.png", "a.webp"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        red, _, blue = np.asarray(small(tmp_path / name)).mean((0, 1))
        assert red > 240 and blue < 15, name


@given(st.integers(1, 700), st.integers(1, 700), st.integers(1, 320))
@settings(max_examples=25, deadline=None)
def test_sides_keep_their_ratio(width: int, height: int, longest: int) -> None:
    written = io.BytesIO()
    Image.new("L", (width, height), 99).save(written, "PNG")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.png"
        path.write_bytes(written.getvalue())
        wide, high = small(path, longest).size
    assert max(wide, high) == min(longest, max(width, height))
    assert abs(wide * height - high * width) <= max(width, height)


def test_a_camera_that_was_turned_shows_an_upright_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn
    Image.new("RGB", (400, 100), "red").save(tmp_path / "a.jpg", exif=exif)
    assert small(tmp_path / "a.jpg", 80).size == (20, 80)
