"""Questions about one's own pictures: a JSON object a line, and boxes as JSON has them.

    {"image": "a.png", "question": "How many?", "answer": "7", "kind": "table"}

Beside these an object may have `boxes`, by axis and name, and `names` that stand in the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tastemaker.data.boxes import AXES, Axis, Box, Boxes
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.tables import unreadable
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import read_json
from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.prompts import Fault, Row, json_rows, text_of

EXAMPLE = '{"image": "a.png", "question": "How many?", "answer": "7", "kind": "table"}'
BOXES = '{"columns": {"Year": {"x1": 0, "y1": 0, "x2": 40, "y2": 90}}}'
_MOST, _SHOWN = 500, 20
_CORNERS = ("x1", "y1", "x2", "y2")


def picture_lines(path: Path) -> list[PictureQuestion]:
    """The questions of a file.

    Args:
        path: JSON lines; paths of pictures in it are from its own folder on.

    Raises:
        BadData: With every bad line; then none is read.
    """
    questions, problems = [], []
    for number, row in json_rows(path, EXAMPLE):
        try:
            questions.append(_question(path.parent, row, number))
        except Fault as fault:
            value = "" if fault.value is None else shown(fault.value)
            told = (str(path), fault.column, number, value, 1, fault.what, fault.fix)
            problems.append(Problem(*told))
    if problems:
        raise BadData(problems[:_SHOWN])
    if not questions:
        raise unreadable(str(path), "it holds no question", f"Write lines such as {EXAMPLE}.")
    return questions


def read_boxes(path: Path) -> dict[Axis, Boxes]:
    """Boxes by axis and name, from a JSON file.

    Raises:
        BadInput: If there is no such file, or it holds anything else; names what.
    """
    if not path.is_file():
        raise BadInput("There is no such file of boxes.", str(path), f"Write one: {BOXES}")
    try:
        return boxes_in(read_json(path))
    except ArtefactError as refused:
        raise BadInput(refused.what, str(path), f"Write it as {BOXES}.") from None
    except Fault as fault:
        where = f"{path}, {fault.column}" if fault.column else str(path)
        raise BadInput(f"{fault.what[:1].upper()}{fault.what[1:]}.", where, fault.fix) from None


def boxes_in(value: object) -> dict[Axis, Boxes]:
    """Boxes by axis and name, of a JSON value.

    Raises:
        Fault: If it is anything else.
    """
    if not isinstance(value, Mapping):
        raise Fault("boxes", value, "these are no boxes by axis", f"Write them as {BOXES}.")
    found: dict[Axis, Boxes] = {}
    for name, some in value.items():
        axis = next((one for one in AXES if one == name), None)
        if axis is None:
            raise Fault(str(name), None, "there is no such axis", f"Use {', '.join(AXES)}.")
        if not isinstance(some, Mapping) or len(some) > _MOST:
            what = f"these are no boxes by name, at most {_MOST}"
            raise Fault(name, some, what, f"Write them as {BOXES}.")
        found[axis] = {str(own): _box(name, own, box) for own, box in some.items()}
    return found


def _box(axis: str, name: str, value: object) -> Box:
    corners = [value.get(key) for key in _CORNERS] if isinstance(value, Mapping) else value
    numbers = corners if isinstance(corners, list) else []
    fine = len(numbers) == 4 and all(
        isinstance(one, int | float) and not isinstance(one, bool) and abs(one) < 2**31
        for one in numbers
    )
    if not fine:
        fix = f"Give x1, y1, x2 and y2 in pixels, as in {BOXES}."
        raise Fault(f"{axis}, {name!r:.60}", value, "this is no box", fix)
    if numbers[0] >= numbers[2] or numbers[1] >= numbers[3]:
        fix = "Give x1 left of x2 and y1 above y2, in pixels from the upper left corner."
        raise Fault(f"{axis}, {name!r:.60}", value, "this box is empty", fix)
    return Box(*map(float, numbers))


def _question(folder: Path, row: object, number: int) -> PictureQuestion:
    if isinstance(row, Fault):
        raise row
    if not isinstance(row, Mapping):
        raise Fault("", row, "it is no object", f"Write lines such as {EXAMPLE}.")
    name, question, answer = (_text(row, key) for key in ("image", "question", "answer"))
    kind = _text(row, "kind") if row.get("kind") is not None else "chart"
    path = folder / name
    if not path.is_file():
        raise Fault("image", name, "there is no such picture", "Give its path from here on.")
    names = row.get("names", [])
    if not isinstance(names, list):
        raise Fault("names", names, "it is no list", "Give a list of texts, or leave it out.")
    known: dict[str, object] = {
        "kind": kind, "source": f"line {number}", "names": [str(one) for one in names],
    }  # fmt: skip
    if row.get("boxes") is not None:
        known["boxes"] = box_fields(boxes_in(row["boxes"]))
    return PictureQuestion(question, (path,), answer, known)


def _text(row: Row, name: str) -> str:
    try:
        return text_of(row, name)
    except Fault as fault:
        raise Fault(name, fault.value, fault.what, f"Write lines such as {EXAMPLE}.") from None
