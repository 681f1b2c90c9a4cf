"""Questions about one's own pictures, and boxes: read whole, or refused with all that is wrong."""

import json
from pathlib import Path

import pytest

from tastemaker.data.boxes import Box
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.reinforce.picture_lines import picture_lines, read_boxes

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
GOOD = {"image": "a.png", "question": "How many?", "answer": "7"}
BOX = {"x1": 0, "y1": 1, "x2": 4.5, "y2": 9}


def written(folder: Path, *rows: object) -> Path:
    Image.new("RGB", (20, 10), "white").save(folder / "a.png")
    path = folder / "q.jsonl"
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in rows))
    return path


def test_lines_are_questions(tmp_path: Path) -> None:
    more = {"kind": "table", "boxes": {"columns": {"Year": BOX}}, "names": [1990]}
    first, second = picture_lines(written(tmp_path, GOOD, "", GOOD | more))
    assert (first.prompt, first.answer, first.metadata["kind"]) == ("How many?", "7", "chart")
    assert "boxes" not in first.metadata and first.opened().size == (20, 10)
    assert second.boxes == {"columns": {"Year": Box(0, 1, 4.5, 9)}}
    assert second.metadata["names"] == ["1990"] and second.metadata["source"] == "line 3"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("{", "JSON"),
        ([1], "no object"),
        ({"image": "a.png", "answer": "7"}, "question"),
        (GOOD | {"answer": 7}, "answer"),
        (GOOD | {"image": "b.png"}, "no such picture"),
        (GOOD | {"names": "x"}, "no list"),
        (GOOD | {"kind": ""}, "kind"),
        (GOOD | {"boxes": []}, "no boxes"),
        (GOOD | {"boxes": {"lines": {}}}, "no such axis"),
        (GOOD | {"boxes": {"rows": {"a": {"x1": 1}}}}, "no box"),
        (GOOD | {"boxes": {"rows": {"a": [1, 2, 3]}}}, "no box"),
        (GOOD | {"boxes": {"rows": {"a": [9, 9, 1, 1]}}}, "box is empty"),
        (GOOD | {"boxes": {"rows": [1]}}, "by name"),
        (GOOD | {"boxes": {"rows": {"a": {**BOX, "x1": True}}}}, "no box"),
    ],
)
def test_bad_lines_are_named(tmp_path: Path, row: object, told: str) -> None:
    with pytest.raises(BadData) as fault:
        picture_lines(written(tmp_path, GOOD, row))
    assert told in str(fault.value) and "row 2" in str(fault.value)
    assert "prompt" not in str(fault.value), "an example of other files"


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no question"):
        picture_lines(written(tmp_path))


def test_boxes_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "boxes.json"
    path.write_text(json.dumps({"x_values": {"Q1": [0, 0, 9, 9]}}))
    assert read_boxes(path) == {"x_values": {"Q1": Box(0, 0, 9, 9)}}
    bad = {
        '{"x": {}}': "axis",
        "[]": "Write it as",
        '{"rows":': "Write it as",
        '{"rows": {"a": "b"}}': "no box",
    }
    for text, told in bad.items():
        path.write_text(text)
        with pytest.raises(BadInput, match=told):
            read_boxes(path)
    with pytest.raises(BadInput, match="no such file"):
        read_boxes(tmp_path / "other.json")
