import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.models.pictures import MOST_PIXELS, read_picture

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
GREY = np.tile(np.arange(0, 256, 4, dtype=np.uint8), (20, 1))


def stored(image: object, form: str, **how: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **how)  # type: ignore[attr-defined]
    return buffer.getvalue()


def png_that_claims(wide: int, high: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    head = struct.pack(">IIBBBBB", wide, high, 8, 0, 0, 0, 0)
    rows = zlib.compress(bytes(10_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def red(image: object) -> np.ndarray:
    pixels = np.array(image)
    assert pixels.dtype == np.uint8 and pixels.shape[2] == 3
    return pixels[..., 0]


@pytest.mark.parametrize("form", ["PNG", "BMP", "GIF", "TIFF", "WEBP"])
def test_grey_pictures_of_any_form_keep_their_values(form: str) -> None:
    how = {"lossless": True} if form == "WEBP" else {}
    opened = read_picture(stored(Image.fromarray(GREY), form, **how))
    assert opened.mode == "RGB" and np.array_equal(red(opened), GREY)


def test_sixteen_bits_are_scaled_and_not_cut() -> None:
    deep = Image.fromarray(GREY.astype(np.uint16) * 257)
    assert np.abs(red(read_picture(stored(deep, "PNG"))).astype(int) - GREY).max() <= 1
    assert np.abs(red(read_picture(stored(deep, "TIFF"))).astype(int) - GREY).max() <= 1


def test_wide_numbers_are_grey_too_and_fractions_of_no_known_range_are_refused() -> None:
    for times in (1, 257):
        whole = Image.fromarray(GREY.astype(np.int32) * times)
        assert np.array_equal(red(read_picture(stored(whole, "TIFF"))), GREY)
    shares = Image.fromarray(GREY.astype(np.float32) / 255)
    with pytest.raises(BadInput, match="no known range"):
        read_picture(stored(shares, "TIFF"))


def test_ink_of_four_colours_becomes_rgb() -> None:
    opened = read_picture(stored(Image.new("CMYK", (9, 7), (0, 255, 255, 0)), "JPEG"))
    assert opened.mode == "RGB" and opened.size == (9, 7)
    assert np.abs(np.array(opened)[0, 0].astype(int) - (255, 0, 0)).max() < 10


def test_of_a_moving_picture_the_first_frame_is_taken() -> None:
    frames = [Image.new("RGB", (9, 7), colour) for colour in ("red", "blue", "green")]
    data = stored(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert tuple(np.array(read_picture(data))[0, 0]) == (255, 0, 0)


def test_what_is_clear_is_white_and_what_was_turned_stands_upright() -> None:
    assert (np.array(read_picture(stored(Image.new("RGBA", (4, 4)), "PNG"))) == 255).all()
    exif = Image.Exif()
    exif[0x0112] = 6
    assert read_picture(stored(Image.new("RGB", (9, 4)), "JPEG", exif=exif)).size == (4, 9)


@pytest.mark.parametrize("side", [50_000, 8_000])
def test_a_small_file_that_claims_to_be_huge_is_refused_unread(side: int) -> None:
    assert side * side > MOST_PIXELS
    with pytest.raises(BadInput, match=r"pixels.*Scale it"):
        read_picture(png_that_claims(side, side))


@pytest.mark.parametrize("data", [b"", b"words", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"\xff\xd8\xff"])
def test_what_is_no_picture_is_refused(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(data)
    with pytest.raises(BadInput, match="cannot be read") as caught:
        read_picture(tmp_path / "p.png")
    assert "p.png" in caught.value.where
    with pytest.raises(BadInput, match="cannot be read"):
        read_picture(data, "what was sent")


def test_a_cut_picture_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    whole = stored(Image.fromarray(np.random.default_rng(0).integers(0, 9, (90, 90), np.uint8)),
                   "PNG")  # fmt: skip
    with pytest.raises(BadInput, match="cannot be read"):
        read_picture(whole[: len(whole) // 2])
    with pytest.raises(BadInput, match="cannot be read"):
        read_picture(tmp_path / "none.png")
