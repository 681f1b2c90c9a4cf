"""A question about a picture: whatever it or the code is, there is an answer or a reason."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tastemaker.data.boxes import Box
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models.picture_text import Written
from tastemaker.models.vlm import VisionModel
from tastemaker.reinforce.vtool_prompts import tool_call
from tastemaker.run import ask as asking
from tastemaker.run.ask import Request, ask
from tests.reinforce.tool_models import save_tool_model

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
RIGHT = "FINAL ANSWER: 12. TERMINATE"
EDIT = "image_2 = focus_on_columns_with_mask(image_1, ['won'], columns_bbox)\ndisplay(image_2)"
TABLE = [
    Written(text, Box(x, y, x + 30, y + 10), 1.0)
    for row, texts in enumerate([["Year", "Won"], ["1990", "7"], ["1991", "8"]])
    for x, y, text in [(10, 20 * row, texts[0]), (110, 20 * row, texts[1])]
]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tool_model(tmp_path_factory.mktemp("tools") / "model"))


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)


def says(monkeypatch: pytest.MonkeyPatch, *turns: str, pieces: Any = TABLE) -> None:
    """What the model writes, turn by turn, and what is read in the picture."""
    waiting = iter(turns)
    monkeypatch.setattr(VisionModel, "continued", lambda *_: [next(waiting)])
    monkeypatch.setattr("tastemaker.models.picture_text.TextReader", lambda: lambda image: pieces)


def picture(folder: Path, mode: str = "RGB", name: str = "a.png") -> str:
    Image.new(mode, (200, 60), 255 if mode != "RGB" else "grey").save(folder / name)
    return str(folder / name)


def test_the_steps_of_an_answer_are_told_and_shown(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, tool_call(EDIT), RIGHT)
    answer = ask(Request(picture(tmp_path), "How many <b>?", model, tools=True, seconds=20))
    assert answer["answer"] == "12" and answer["outcome"] == "used"
    assert answer["boxes"] == {"columns": ["Year", "Won"], "rows": ["Year", "1990", "1991"]}
    first, last = answer["steps"]
    assert first["code"] == EDIT and "edited image" in first["told"] and last["code"] is None
    page = Path(answer["page"]).read_text()
    assert answer["page"] == "ask.html" and page.count("data:image/png;base64,") == 2
    assert "How many &lt;b&gt;?" in page and "<script" not in page and EDIT.split("\n")[1] in page


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import os\nos.system('x')", "failed"),
        ("open('/etc/passwd').read()", "failed"),
        ("while True:\n    pass", "failed"),
        ("x = [0] * 10_000_000_000", "failed"),
        ("display(image_9)", "failed"),
        ("image_2 = focus_on_columns_with_mask(image_1, ['zebra'], columns_bbox)\n"
         "display(image_2)", "There is no 'zebra'; there are 'Year', 'Won'."),
    ],
)  # fmt: skip
def test_code_that_does_wrong_is_told_and_answered(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, code: str, told: str
) -> None:
    says(monkeypatch, tool_call(code), RIGHT)
    seconds = 1 if told == "failed" else 20  # so that good code ends on a busy machine too
    answer = ask(Request(picture(tmp_path), "Q?", model, tools=True, seconds=seconds))
    assert told in answer["steps"][0]["told"] and answer["answer"] == "12"
    assert answer["outcome"] == ("failed" if told == "failed" else "unchanged")


def test_boxes_of_a_file_stand_in_for_reading_and_may_lie_outside(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, tool_call(EDIT), RIGHT, pieces=None)
    boxes = {
        "columns": {
            "Won": [-50, -50, 20, 900],
            "Lost": [100, -9, 990, 990],
            "Far": [900, 0, 950, 9],
        }
    }
    (tmp_path / "boxes.json").write_text(json.dumps(boxes))
    request = Request(picture(tmp_path), "Q?", model, tools=True, boxes="boxes.json", seconds=20)
    answer = ask(request)
    assert answer["outcome"] == "used" and "boxes of 'Far': no edit" in answer["warnings"][0]


def test_a_file_that_names_no_place_is_told(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, RIGHT, pieces=None)
    (tmp_path / "boxes.json").write_text('{"columns": {}}')
    answer = ask(Request(picture(tmp_path), "Q?", model, tools=True, boxes="boxes.json"))
    assert answer["warnings"] == ["boxes.json names no place: it was asked without tools."]


def test_a_picture_without_text_is_asked_without_tools(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch, "It is twelve.", pieces=[])
    answer = ask(Request(picture(tmp_path), "Q?", model, tools=True))
    assert answer["answer"] is None and answer["outcome"] == "direct"
    told = " ".join(answer["warnings"])
    assert "No text" in told and "no final answer" in told


@pytest.mark.parametrize(("mode", "name"), [("CMYK", "a.jpg"), ("I;16", "a.png"), ("P", "a.gif")])
def test_odd_pictures_are_read(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch, mode: str, name: str
) -> None:
    says(monkeypatch, RIGHT)
    path = picture(tmp_path, mode, name)
    if name == "a.gif":  # it moves: the first frame is read
        frames = [Image.new("P", (20, 10), n) for n in (0, 255)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    assert ask(Request(path, "Q?", model))["answer"] == "12"


def test_pictures_that_cannot_be_read_are_named(tmp_path: Path, model: str) -> None:
    broken, huge = tmp_path / "broken.png", tmp_path / "huge.png"
    broken.write_bytes(b"\x89PNG\r\n\x1a\n broken")
    held = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(held, "PNG")
    huge.write_bytes(held.getvalue())
    for path, told in ((broken, "cannot be read"), (huge, "400000000 pixels"),
                       (tmp_path / "no.png", "no such file")):  # fmt: skip
        with pytest.raises(BadInput, match=told) as fault:
            ask(Request(str(path), "Q?", model))
        assert str(path) in fault.value.where


def test_a_model_or_a_run_that_cannot_answer_is_named(tmp_path: Path, model: str) -> None:
    path = picture(tmp_path)
    with pytest.raises(BadInput, match="no model"):
        ask(Request(path, "Q?", "nowhere"))
    run = tmp_path / "run"
    run.mkdir()
    (run / "config.json").write_text('{"vtool": {}}')
    with pytest.raises(ArtefactError, match="not ended"):
        ask(Request(path, "Q?", str(run)))


def test_a_page_needs_its_folder(
    tmp_path: Path, model: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    says(monkeypatch)  # not a word: it is refused before the model is asked
    with pytest.raises(BadInput, match="no such folder"):
        ask(Request(picture(tmp_path), "Q?", model), "nowhere/ask.html")


def test_tables_and_charts_are_told_apart() -> None:
    image = Image.fromarray(np.full((300, 300, 3), 255, np.uint8))
    bars = [Written(n, Box(40 * k, 280, 40 * k + 20, 292), 1.0) for k, n in enumerate("ABCDE")]
    scale = [Written(str(20 * k), Box(0, 50 * k, 15, 50 * k + 12), 1.0) for k in range(5)]
    tables = {"columns", "rows"}

    def axes(pieces: list[Written], kind: str = "auto") -> set[str]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("tastemaker.models.picture_text.TextReader", lambda: lambda one: pieces)
            return set(asking._read(image, kind))

    assert axes(TABLE) == tables
    assert axes([*bars, *scale]) == {"x_values"}, "numbers from 0 on are a scale, and name nothing"
    assert axes([*bars, *scale], "table") == tables and not axes([])


@pytest.mark.parametrize(
    "wrong",
    [
        {"question": " "},
        {"kind": "pie"},
        {"longest": 0},
        {"temperature": float("nan")},
        {"seed": -1},
    ],
)
def test_what_cannot_be_meant_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as fault:
        Request(**{"image": "a.png", "question": "Q?", "model": "m"} | wrong)
    assert fault.value.where == next(iter(wrong))


def test_more_than_the_model_reads_is_told_of_the_picture(tmp_path: Path, model: str) -> None:
    path = picture(tmp_path)
    with pytest.raises(BadInput, match="Picture and question have") as refused:
        ask(Request(path, "How many? " * 5_000, model))
    assert refused.value.where == path and "--longest" in refused.value.fix
