import builtins

import pytest

from tastemaker.errors import BadInput
from tastemaker.models.picture_text import TextReader

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[ocr]")
pytest.importorskip("rapidocr_onnxruntime", reason="needs tastemaker[ocr]")


@pytest.fixture(scope="module")
def read() -> TextReader:
    return TextReader()


def test_words_are_read_where_they_stand(read: TextReader) -> None:
    from PIL import ImageDraw, ImageFont

    image = Image.new("RGB", (300, 120), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(24)
    pen.text((180, 70), "1987", fill="black", font=font)
    pen.text((20, 10), "Grapes", fill="black", font=font)
    found = read(image)
    assert [one.text for one in found] == ["Grapes", "1987"]
    assert all(one.certainty > 0.8 for one in found)
    year = found[1].box
    assert abs(year.x1 - 180) < 8 and 60 < year.y1 < year.y2 < 105 and year.x2 < 260


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_picture_without_text_has_none(read: TextReader, mode: str) -> None:
    for size in ((300, 200), (8, 8), (1, 1), (400, 3)):
        assert read(Image.new(mode, size)) == []


def test_what_the_reader_needs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match="no certainty"):
        TextReader(1.5)
    real = builtins.__import__

    def missing(name: str, *rest: object) -> object:
        if name == "rapidocr_onnxruntime":
            raise ImportError("No module named 'rapidocr_onnxruntime'")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(BadInput, match=r"tastemaker\[ocr\]"):
        TextReader()
