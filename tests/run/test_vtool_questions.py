"""Questions come from four places; boxes are read once, and no picture is learned and measured."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tastemaker.data.boxes import Box
from tastemaker.errors import BadInput
from tastemaker.models.picture_text import Written
from tastemaker.run import vtool_questions as questions
from tastemaker.run.vtool_questions import gathered, shrunk
from tests.run.visual import QUESTIONS

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
PIECES = [
    Written(text, Box(x, y, x + 30, y + 10), 1.0)
    for y, row in enumerate([["Year", "Won"], ["1990", "7"], ["1991", "8"]])
    for x, y, text in [(10, 20 * y, row[0]), (110, 20 * y, row[1])]
]


def lines(folder: Path, many: int) -> Path:
    rows = []
    for number in range(many):
        Image.new("RGB", (200, 100), "white").save(folder / f"{number}.png")
        for asked in ("How many?", "How few?"):
            rows.append({"image": f"{number}.png", "question": asked, "answer": "7",
                         "kind": "table"})  # fmt: skip
    path = folder / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    return path


def quiet(done: int, many: int) -> None:
    """Tell nobody."""


def test_generated_charts_have_boxes_and_two_splits(tmp_path: Path) -> None:
    asked = gathered(QUESTIONS, tmp_path / "boxes.json", quiet)
    assert len(asked.train) == 3 and len(asked.held_out) == 2 and asked.boxed == 5
    assert not (tmp_path / "boxes.json").exists()
    assert asked.train[0].prompt != asked.held_out[0].prompt or (
        asked.train[0].boxes != asked.held_out[0].boxes
    )


def test_boxes_are_read_once_and_no_picture_is_on_both_sides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[object] = []

    class Reader:
        def __call__(self, image: object) -> list[Written]:
            read.append(image)
            return PIECES

    monkeypatch.setattr("tastemaker.models.picture_text.TextReader", Reader)
    config = replace(QUESTIONS, data=str(lines(tmp_path, 6)), train=6, held_out=4, longest=100)
    told: list[tuple[int, int]] = []
    asked = gathered(config, tmp_path / "boxes.json", lambda *one: told.append(one))
    assert len(asked.train) == 6 and len(asked.held_out) == 4 and asked.boxed == 10
    assert len(read) == 5 == told[-1][1], "once a picture"
    one = asked.train[0]
    assert one.opened().size == (100, 50) and list(one.boxes["columns"]) == ["Year", "Won"]
    assert one.boxes["columns"]["Won"].x2 <= 100
    again = gathered(config, tmp_path / "boxes.json", quiet)
    assert len(read) == 5 and [q.boxes for q in again.train] == [q.boxes for q in asked.train]
    known = json.loads((tmp_path / "boxes.json").read_text())
    assert len(known) == 5


@pytest.mark.parametrize("data", ["nowhere", "nowhere.jsonl", "nowhere.json"])
def test_what_is_not_there_is_refused(tmp_path: Path, data: str) -> None:
    with pytest.raises(BadInput, match="no such questions"):
        gathered(replace(QUESTIONS, data=str(tmp_path / data)), tmp_path / "b.json", quiet)


def test_one_picture_cannot_be_both(tmp_path: Path) -> None:
    config = replace(QUESTIONS, data=str(lines(tmp_path, 1)), train=2, held_out=2)
    with pytest.raises(BadInput, match="none is left"):
        gathered(config, tmp_path / "b.json", quiet)


def test_boxes_shrink_with_their_picture() -> None:
    image, boxes = shrunk(Image.new("RGB", (200, 100)), {"rows": {"a": Box(0, 50, 200, 100)}}, 50)
    assert image.size == (50, 25) and boxes == {"rows": {"a": Box(0, 12.5, 50, 25)}}
    same, _ = shrunk(image, {}, 50)
    assert same is image


def test_every_kind_of_file_is_read_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("chartqa", "tabmwp", "picture_lines"):
        monkeypatch.setattr(questions, name, lambda path, name=name: [name])
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "a.jsonl").write_text("")
    told = [questions._read(str(tmp_path / name)) for name in ("", "a.json", "a.jsonl")]
    assert told == [["chartqa"], ["tabmwp"], ["picture_lines"]]


@pytest.mark.parametrize("wrong", [{"train": -1}, {"held_out": -1}, {"longest": 0}])
def test_numbers_by_which_nothing_is_chosen_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput) as fault:
        questions.QuestionConfig(**wrong)  # type: ignore[arg-type]
    assert fault.value.where == next(iter(wrong))
