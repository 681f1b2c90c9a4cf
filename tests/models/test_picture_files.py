"""Pictures of any mode and size as bytes of RGB; what cannot be decoded is refused."""

import hashlib
import io
import struct
import warnings
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.models import pictures
from tastemaker.models.picture_files import bytes_of, looked_at, small_jpeg
from tastemaker.models.pictures import square
from tastemaker.models.thumbnails import thumbnail
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
        monkeypatch.setattr(pictures, "MOST_PIXELS", 64 * 63)
    with pytest.raises(BadInput) as refused:
        looked_at(path)
    assert refused.value.where == str(path)


def files_of(picture: Any) -> dict[str, bytes]:
    """A picture in the formats that people have, and some that they seldom have."""
    exif = Image.Exif()
    exif[0x0112] = 6
    kinds: dict[str, tuple[Any, str, dict[str, Any]]] = {
        "png": (picture, "PNG", {"exif": exif}),
        "palette": (picture.convert("P"), "PNG", {"transparency": 3}),
        "jpeg": (picture, "JPEG", {"exif": exif}),
        "cmyk": (picture.convert("CMYK"), "JPEG", {}),
        "gif": (picture, "GIF", {"save_all": True, "append_images": [picture.rotate(90)]}),
        "webp": (picture, "WEBP", {"exif": exif}),
        "tiff": (picture, "TIFF", {"compression": "tiff_lzw"}),
        "bmp": (picture, "BMP", {}),
        "dds": (picture, "DDS", {}),
        "jpeg2000": (picture, "JPEG2000", {}),
    }
    made = {}
    for name, (one, kind, options) in kinds.items():
        written = io.BytesIO()
        try:
            one.save(written, kind, **options)
        except (OSError, KeyError):  # this machine's PIL cannot write it
            continue
        made[name] = written.getvalue()
    return made


def test_a_damaged_file_is_read_or_refused_by_name(tmp_path: Path, capfd: Any) -> None:
    """Decoders raise whatever they like; a user meets one kind of error, and no other."""
    rng, path = np.random.default_rng(0), tmp_path / "x.bin"
    noise = np.random.default_rng(1).integers(0, 256, (12, 18, 3), np.uint8)
    for whole in files_of(Image.fromarray(noise)).values():
        for _ in range(30):
            content = np.frombuffer(whole, np.uint8)[: rng.integers(1, len(whole) + 1)].copy()
            places = rng.integers(0, min(len(content), 120), 3)
            content[places] = rng.integers(0, 256, 3)
            path.write_bytes(content.tobytes())
            for look in (looked_at, lambda one: small_jpeg(one, 8), thumbnail):
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    try:
                        assert look(path)
                    except BadInput as refused:
                        assert refused.where == str(path)
    capfd.readouterr()  # what the decoders themselves print


@pytest.mark.parametrize(
    "error", [MemoryError, NotImplementedError, KeyError, EOFError, IndexError]
)
def test_whatever_a_decoder_raises_is_said_of_the_file(
    tmp_path: Path, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.png"
    save_noise(path, 0)

    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(Image.Image, "convert", broken)
    for look in (looked_at, lambda one: small_jpeg(one, 8), thumbnail):
        with pytest.raises(BadInput) as refused:
            look(path)
        assert refused.value.where == str(path) and error.__name__ in refused.value.what


def test_equal_bytes_are_equal_pictures_and_others_are_not(tmp_path: Path) -> None:
    for name, seed in (("a.png", 0), ("b.png", 0), ("c.png", 1)):
        save_noise(tmp_path / name, seed)
    first, second, third = (looked_at(tmp_path / f"{name}.png") for name in "abc")
    assert first == second != third


def test_a_link_is_read_as_what_it_leads_to(tmp_path: Path) -> None:
    save_noise(tmp_path / "a.png", 0)
    (tmp_path / "b.png").symlink_to("a.png")
    assert looked_at(tmp_path / "b.png") == looked_at(tmp_path / "a.png")
    (tmp_path / "c.png").symlink_to("gone.png")
    with pytest.raises(BadInput):
        looked_at(tmp_path / "c.png")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_stand_upright(tmp_path: Path, orientation: int) -> None:
    """However a camera was held, the red side is on top once it is turned as the file says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # values of Image.Transpose
    upright = np.zeros((8, 8, 3), np.uint8)
    upright[:4, :, 0], upright[4:, :, 2] = 255, 255
    upright[:4, :4, 1] = 255
    picture = Image.fromarray(upright)
    if orientation > 1:
        picture = picture.transpose(Image.Transpose(back[orientation]))
    picture.save(tmp_path / "x.png", exif=exif)
    np.testing.assert_array_equal(square(tmp_path / "x.png", 8, 0), upright)


def test_what_is_clear_is_white_and_nothing_else_is(tmp_path: Path) -> None:
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[:2, :, 3] = 255
    Image.fromarray(pixels).save(tmp_path / "rgba.png")
    palette = Image.fromarray(np.repeat([[1], [1], [0], [0]], 4, axis=1).astype(np.uint8), "P")
    palette.putpalette([9, 9, 9, 0, 0, 0])
    palette.save(tmp_path / "p.png", transparency=0)
    for name in ("rgba.png", "p.png"):
        shown = square(tmp_path / name, 4, 0)
        assert shown[:2].max() == 0 and shown[2:].min() == 255, name


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (3, 2)])
def test_thin_pictures_are_their_middle(tmp_path: Path, size: tuple[int, int]) -> None:
    save_noise(tmp_path / "x.png", 0, size=size)
    assert square(tmp_path / "x.png", 16, 0).shape == (16, 16, 3)
    with Image.open(io.BytesIO(small_jpeg(tmp_path / "x.png", 16))) as made:
        assert made.size == (16, 16)


def test_a_header_that_promises_more_than_memory_holds_is_refused(tmp_path: Path) -> None:
    """100,000 x 100,000 pixels of a file of 69 bytes, which is never decoded."""
    head = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    body = b"".join(
        struct.pack(">I", len(one)) + kind + one + struct.pack(">I", zlib.crc32(kind + one))
        for kind, one in chunks
    )
    (tmp_path / "x.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    for look in (looked_at, lambda one: small_jpeg(one, 8), thumbnail):
        with pytest.raises(BadInput) as refused:
            look(tmp_path / "x.png")
        assert refused.value.where == str(tmp_path / "x.png")


@pytest.mark.parametrize("ending", ["png", "jpg", "webp", "bmp", "gif", "tif"])
def test_formats_are_told_by_their_bytes_and_not_by_their_names(
    tmp_path: Path, ending: str
) -> None:
    save_noise(tmp_path / f"x.{ending}", 3)
    unnamed = tmp_path / "picture"
    unnamed.write_bytes((tmp_path / f"x.{ending}").read_bytes())
    assert looked_at(unnamed) == looked_at(tmp_path / f"x.{ending}") == bytes_of(unnamed)


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
