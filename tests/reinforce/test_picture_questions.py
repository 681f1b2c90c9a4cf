import json
import os
from pathlib import Path

import pytest

from tastemaker.data.boxes import Box
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.models.picture_text import Written
from tastemaker.reinforce.picture_questions import (
    PictureQuestion,
    box_fields,
    boxes_of,
    chartqa,
    of_chart,
    tabmwp,
    with_read_boxes,
)
from tastemaker.reinforce.relaxed_answers import score
from tastemaker.reinforce.sandbox import run_snippet
from tastemaker.reinforce.sandbox_grammar import GrammarSandbox
from tastemaker.reinforce.workbench import Workbench
from tastemaker.worlds.chart_data import ChartOptions
from tastemaker.worlds.charts import AskedOptions, asked_charts
from tests.reinforce.bench import BOXES, PICTURE

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
DATA = Path(os.environ.get("TASTEMAKER_DATA", "no such folder"))


def part(folder: Path, rows: object, name: str = "val_converted.json") -> Path:
    (folder / "png").mkdir(exist_ok=True)
    Image.new("RGB", (60, 40), "white").save(folder / "png" / "a.png")
    (folder / name).write_text(json.dumps(rows))
    return folder


GOOD = {"image": "a.png", "question": "How many?", "label": "7", "answer": "7"}


def test_chartqa(tmp_path: Path) -> None:
    (one,) = chartqa(part(tmp_path, [GOOD]))
    assert (one.prompt, one.answer) == ("How many?", "7")
    assert one.metadata["source"] == "chartqa/a.png"
    assert one.opened().size == (60, 40) and one.boxes == {}


def test_the_original_names_of_chartqa_are_read_too(tmp_path: Path) -> None:
    row = {"imgname": "a.png", "query": "How many?", "label": "7"}
    (one,) = chartqa(part(tmp_path, [row], "val_human.json"))
    assert (one.prompt, one.answer) == ("How many?", "7")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (GOOD | {"image": "b.png"}, "image"),
        (GOOD | {"image": "../val_converted.json"}, "image"),
        (GOOD | {"question": " "}, "question"),
        ({"image": "a.png", "question": "How?"}, "label"),
        (GOOD | {"label": 7}, "label"),
        ("a text", ""),
    ],
)
def test_bad_rows_of_chartqa_are_all_said(tmp_path: Path, row: object, column: str) -> None:
    with pytest.raises(BadData) as caught:
        chartqa(part(tmp_path, [GOOD, row, row]))
    assert [(p.row, p.column) for p in caught.value.problems] == [(2, column), (3, column)]


@pytest.mark.parametrize("text", ["{}", "[]", "no json", "[" * 100_000])
def test_what_is_no_list_of_questions_is_refused(tmp_path: Path, text: str) -> None:
    part(tmp_path, [])
    (tmp_path / "val_converted.json").write_text(text)
    with pytest.raises(BadData):
        chartqa(tmp_path)
    with pytest.raises(BadData):
        chartqa(tmp_path / "png")
    with pytest.raises(BadData):
        tabmwp(tmp_path / "val_converted.json")


def problems(folder: Path, **changed: object) -> Path:
    (folder / "tables").mkdir()
    Image.new("RGB", (60, 40), "white").save(folder / "tables" / "33.png")
    row = {"question": "Which?", "choices": ["linear", "nonlinear"], "answer": "linear",
           "unit": None, "table_for_pd": {"x": ["10", "11"], "y": ["15", "9"]}}  # fmt: skip
    (folder / "problems.json").write_text(json.dumps({"33": row | changed}))
    return folder / "problems.json"


def test_tabmwp(tmp_path: Path) -> None:
    (one,) = tabmwp(problems(tmp_path, unit="$"))
    assert one.prompt == "Which? Choose from: linear, nonlinear. (unit: $)"
    assert one.metadata["columns"] == ["x", "y"] and one.metadata["rows"] == ["10", "11"]
    assert one.opened().size == (60, 40)


def test_bad_problems_of_tabmwp_are_said(tmp_path: Path) -> None:
    path = problems(tmp_path, answer=None)
    with pytest.raises(BadData) as caught:
        tabmwp(path)
    assert caught.value.problems[0].column == "answer"
    path.write_text(json.dumps({"34": json.loads(path.read_text())["33"] | {"answer": "a"}}))
    with pytest.raises(BadData, match="no such picture"):
        tabmwp(path)


def test_a_damaged_picture_is_named_when_it_is_opened(tmp_path: Path) -> None:
    (one,) = chartqa(part(tmp_path, [GOOD]))
    (tmp_path / "png" / "a.png").write_bytes(b"words")
    with pytest.raises(BadInput, match="cannot be read"):
        one.opened()


def test_generated_charts_are_questions_with_boxes() -> None:
    for asked in asked_charts(ChartOptions(width=64, height=64), AskedOptions(), "test", 5):
        one = of_chart(asked)
        assert one.boxes == {axis: dict(some) for axis, some in asked.drawn.boxes.items()}
        assert one.opened() is asked.drawn.image
        assert json.loads(json.dumps(one.metadata)) == one.metadata
        names = one.metadata["names"]
        assert score(one.answer, one.answer, "relaxed_strict", names).right


def test_boxes_come_back_from_their_fields() -> None:
    assert boxes_of(json.loads(json.dumps(box_fields(BOXES)))) == BOXES


def test_boxes_are_found_by_what_is_written() -> None:
    words = [
        Written(text, Box(x, y, x + 10, y + 6), 1.0)
        for y, line in ((2, "Year Won"), (12, "1990 7"))
        for x, text in zip((5, 35), line.split(), strict=True)
    ]
    table = PictureQuestion("?", (PICTURE,), "7", {"kind": "table", "source": "here"})
    found = with_read_boxes(table, lambda image: words)
    assert list(found.boxes["columns"]) == ["Year", "Won"] and found.metadata["source"] == "here"
    with GrammarSandbox() as sandbox:
        bench = Workbench(found.opened(), found.boxes)
        code = "display(focus_on_rows_with_mask(image_1, ['1990']))"
        assert run_snippet(sandbox, code, bench).image is not None
    assert with_read_boxes(table, lambda image: []).boxes == {}


@pytest.mark.skipif(not (DATA / "chartqa").is_dir(), reason="needs chartqa in TASTEMAKER_DATA")
def test_the_real_chartqa_is_read() -> None:
    assert (len(chartqa(DATA / "chartqa/val")), len(chartqa(DATA / "chartqa/train"))) == (195, 1000)
    assert all(score(one.answer, one.answer, "relaxed_strict").right
               for one in chartqa(DATA / "chartqa/val"))  # fmt: skip


@pytest.mark.skipif(not (DATA / "tabmwp").is_dir(), reason="needs tabmwp in TASTEMAKER_DATA")
def test_the_real_tabmwp_is_read() -> None:
    read = tabmwp(DATA / "tabmwp/problems_dev1k.json")
    assert len(read) == 1000
    assert all(one.opened().mode == "RGB" for one in read[:20])
