"""Small copies of pictures."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tastemaker.errors import BadInput
from tastemaker.models import thumbnails
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
    monkeypatch.setattr(thumbnails, "MOST_PIXELS", 1_000)
    with pytest.raises(BadInput):
        thumbnail(tmp_path / "b.png")
