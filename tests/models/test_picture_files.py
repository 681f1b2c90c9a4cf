"""Pictures of any mode and size as bytes of RGB; what cannot be decoded is refused."""

import hashlib
import io
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.models import picture_files
from tastemaker.models.images import square
from tastemaker.models.picture_files import bytes_of, looked_at, small_jpeg
from tests.data.pictured import save_noise

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I"])
def test_every_mode_is_bytes_of_rgb(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("x.tif" if mode in ("CMYK", "I") else "x.png")
    if mode.startswith("I"):
        kind = {"I;16": np.uint16, "I": np.int32}[mode]
        Image.fromarray(np.full((3, 5), 128 * 256, kind)).save(path)
    else:
        Image.new("RGB", (5, 3), (128, 128, 128)).convert(mode).save(path)
    picture = square(path, 3, 0)
    assert picture.shape == (3, 3, 3) and picture.dtype == np.uint8
    if mode not in ("1", "P"):  # which have no such grey
        assert np.abs(picture.astype(int) - 128).max() <= 2
    assert looked_at(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_of_an_animation_the_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    frames[0].save(tmp_path / "x.gif", save_all=True, append_images=frames[1:])
    assert square(tmp_path / "x.gif", 4, 0)[0, 0].tolist() == [255, 0, 0]


def test_a_page_gets_a_small_square(tmp_path: Path) -> None:
    save_noise(tmp_path / "x.png", 0, size=(400, 200))
    made = small_jpeg(tmp_path / "x.png", 64)
    with Image.open(io.BytesIO(made)) as picture:
        assert picture.size == (64, 64) and picture.format == "JPEG"
    assert len(made) < 8000


@pytest.mark.parametrize("fault", ["cut", "words", "empty", "gone", "folder", "vast"])
def test_what_is_no_picture_is_refused_by_name(
    tmp_path: Path, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.jpg"
    save_noise(path, 0, size=(64, 64))
    whole = path.read_bytes()
    if fault in ("gone", "folder"):
        path.unlink()
    if fault == "folder":
        path.mkdir()
    content = {"cut": whole[: len(whole) // 2], "words": b"<html>", "empty": b""}
    if fault in content:
        path.write_bytes(content[fault])
    if fault == "vast":
        monkeypatch.setattr(picture_files, "MOST_PIXELS", 64 * 63)
    with pytest.raises(BadInput) as refused:
        looked_at(path)
    assert refused.value.where == str(path)


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tif"])
def test_formats_are_told_by_their_bytes_and_not_by_their_names(
    tmp_path: Path, ending: str
) -> None:
    save_noise(tmp_path / f"x.{ending}", 3)
    unnamed = tmp_path / "picture"
    unnamed.write_bytes((tmp_path / f"x.{ending}").read_bytes())
    assert looked_at(unnamed) == looked_at(tmp_path / f"x.{ending}") == bytes_of(unnamed)


def test_equal_bytes_are_equal_pictures_and_others_are_not(tmp_path: Path) -> None:
    save_noise(tmp_path / "a.png", 1)
    save_noise(tmp_path / "b.png", 2)
    (tmp_path / "c.png").write_bytes((tmp_path / "a.png").read_bytes())
    a, b, c = (looked_at(tmp_path / f"{name}.png") for name in "abc")
    assert a == c != b


def test_what_is_no_picture_has_bytes_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"words")
    assert bytes_of(tmp_path / "x") == hashlib.sha256(b"words").hexdigest()
    with pytest.raises(BadInput) as fault:
        bytes_of(tmp_path / "gone")
    assert fault.value.where == str(tmp_path / "gone")


def test_a_picture_of_one_pixel_and_one_very_long_are_pictures(tmp_path: Path) -> None:
    for number, size in enumerate(((1, 1), (1, 3000), (3000, 1))):
        path = tmp_path / f"{number}.png"
        save_noise(path, number, size=size)
        assert looked_at(path) and small_jpeg(path, 16).startswith(b"\xff\xd8")


def test_a_page_shows_what_lies_behind_transparency_as_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (255, 0, 0, 0)).save(tmp_path / "x.png")
    with Image.open(io.BytesIO(small_jpeg(tmp_path / "x.png", 8))) as picture:
        assert min(picture.getpixel((4, 4))) > 250
