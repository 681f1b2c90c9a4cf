"""Questions about pictures: those of generated charts, of ChartQA and of TabMWP, in one form.

ChartQA is a list of objects with `image` (or `imgname`), `question` (or `query`) and `label`, its
pictures in a folder `png` beside it. TabMWP is an object of problems by number, its pictures in a
folder `tables` beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tastemaker.data.boxes import Axis, Box, Boxes
from tastemaker.data.problems import BadData, Problem, shown
from tastemaker.data.tables import unreadable
from tastemaker.models.header_boxes import header_boxes
from tastemaker.models.picture_text import Written
from tastemaker.models.pictures import read_picture
from tastemaker.reinforce.prompts import Fault, Row, text_of
from tastemaker.worlds.charts import AskedChart

if TYPE_CHECKING:
    from PIL.Image import Image

_SHOWN = 20


@dataclass(frozen=True)
class PictureQuestion:
    """What is asked about a picture once."""

    prompt: str
    images: tuple[Image | Path, ...]
    """the picture; a path is opened when it is needed"""
    answer: str
    """what is right, as `relaxed_answers.score` takes it"""
    metadata: Mapping[str, object] = field(default_factory=dict)
    """`kind`, `source`, `boxes` by axis and name, `names` that stand in the picture"""

    def opened(self) -> Image:
        """The picture, RGB.

        Raises:
            BadInput: If its file is damaged, none, or too large.
        """
        first = self.images[0]
        return read_picture(first) if isinstance(first, Path) else first

    @property
    def boxes(self) -> dict[Axis, Boxes]:
        """Of the metadata; none where nobody has drawn them."""
        known = self.metadata.get("boxes")
        return boxes_of(known) if isinstance(known, dict) else {}


def boxes_of(fields: Mapping[Axis, Mapping[str, Mapping[str, float]]]) -> dict[Axis, Boxes]:
    """Boxes by axis and name, from what `box_fields` gave."""
    return {
        axis: {name: Box(**corners) for name, corners in some.items()}
        for axis, some in fields.items()
    }


def box_fields(boxes: Mapping[Axis, Boxes]) -> dict[Axis, dict[str, dict[str, float]]]:
    """Boxes by axis and name, as JSON has them."""
    return {axis: {name: box.fields for name, box in some.items()} for axis, some in boxes.items()}


def of_chart(asked: AskedChart, source: str = "charts") -> PictureQuestion:
    """The question of a generated chart."""
    known: dict[str, object] = {
        "kind": asked.chart.kind,
        "source": source,
        "template": asked.question.template,
        "boxes": box_fields(asked.drawn.boxes),
        "names": [*asked.chart.names, *asked.chart.series],
    }
    return PictureQuestion(asked.question.text, (asked.drawn.image,), asked.question.answer, known)


def with_read_boxes(
    question: PictureQuestion, read: Callable[[Image], Sequence[Written]]
) -> PictureQuestion:
    """A question with the boxes of its picture, found by what is written there.

    Args:
        question: Whose `kind` says `table`, or is a chart; boxes that it has are replaced.
        read: Such as a `TextReader`.

    Raises:
        BadInput: If the picture cannot be opened.
    """
    image = question.opened()
    kind = str(question.metadata.get("kind", "chart"))
    boxes = box_fields(header_boxes(read(image), image.size, kind))
    known = {**question.metadata, "boxes": boxes}
    return PictureQuestion(question.prompt, question.images, question.answer, known)


def chartqa(folder: Path) -> list[PictureQuestion]:
    """Questions of one part of ChartQA, such as `val`.

    Args:
        folder: Holds `png` and one or more lists; of two that say the same, `*_converted.json`.

    Raises:
        BadData: With every bad row; then none is read.
    """
    lists = sorted(folder.glob("*_converted.json")) or sorted(folder.glob("*.json"))
    if not lists:
        raise unreadable(str(folder), "it holds no list of questions", "Give a part of ChartQA.")
    questions: list[PictureQuestion] = []
    for path in lists:
        rows = _loaded(path)
        if not isinstance(rows, list):
            raise unreadable(str(path), "it holds no list", "Give a part of ChartQA.")
        questions += _questions(path, enumerate(rows, 1), _chartqa)
    return questions


def tabmwp(path: Path) -> list[PictureQuestion]:
    """Questions of a file of TabMWP.

    Args:
        path: An object of problems; `tables` stands beside it.

    Raises:
        BadData: With every bad problem; then none is read.
    """
    rows = _loaded(path)
    if not isinstance(rows, dict):
        raise unreadable(str(path), "it holds no object of problems", "Give a file of TabMWP.")
    named = ({"number": number, **row} if isinstance(row, dict) else row
             for number, row in rows.items())  # fmt: skip
    return _questions(path, enumerate(named, 1), _tabmwp)


def _loaded(path: Path) -> object:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        told = str(error).split(":")[0].lower()
        raise unreadable(str(path), f"the file is not read: {told}", "Give a JSON file.") from None


def _questions(
    path: Path, rows: Iterable[tuple[int, object]], read: Callable[[Path, Row], PictureQuestion]
) -> list[PictureQuestion]:
    questions, problems = [], []
    for number, row in rows:
        try:
            if not isinstance(row, dict):
                raise Fault("", row, "it is no object", "Give an object for each question.")
            questions.append(read(path.parent, row))
        except Fault as fault:
            value = "" if fault.value is None else shown(fault.value)
            told = (str(path), fault.column, number, value, 1, fault.args[0], fault.fix)
            problems.append(Problem(*told))
    if problems:
        raise BadData(problems[:_SHOWN])
    if not questions:
        raise unreadable(str(path), "it holds no question", "Give a file with some.")
    return questions


def _picture(folder: Path, name: str) -> Path:
    """The file of a picture, which lies in this folder and nowhere else."""
    path = folder / name
    if Path(name).name != name or not path.is_file():
        raise Fault("image", name, f"there is no such picture in {folder.name}", "Put it there.")
    return path


def _chartqa(folder: Path, row: Row) -> PictureQuestion:
    name = text_of(row, "image", "imgname")
    known = {"kind": "chart", "source": f"chartqa/{name}"}
    question, label = text_of(row, "question", "query"), text_of(row, "label", "answer")
    return PictureQuestion(question, (_picture(folder / "png", name),), label, known)


def _tabmwp(folder: Path, row: Row) -> PictureQuestion:
    number, question, answer = (text_of(row, name) for name in ("number", "question", "answer"))
    choices, unit, table = row.get("choices"), row.get("unit"), row.get("table_for_pd")
    if isinstance(choices, list) and choices:
        question += f" Choose from: {', '.join(map(str, choices))}."
    if isinstance(unit, str) and unit:
        question += f" (unit: {unit})"
    heads = list(map(str, table)) if isinstance(table, dict) else []
    first: object = next(iter(table.values()), []) if isinstance(table, dict) else []
    rows = list(map(str, first)) if isinstance(first, list) else []
    known = {
        "kind": "table",
        "source": f"tabmwp/{number}",
        "names": [str(choice) for choice in choices] if isinstance(choices, list) else [],
        "columns": heads,
        "rows": rows,
    }
    image = _picture(folder / "tables", f"{number}.png")
    return PictureQuestion(question, (image,), answer, known)
