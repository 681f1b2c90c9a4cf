"""A question about one picture: boxes by reading, a model that may edit it, an answer, a page."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tastemaker import files
from tastemaker.data.boxes import Axis, Boxes
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.models.encode import within
from tastemaker.models.header_boxes import header_boxes
from tastemaker.models.packaged import locate, within_run
from tastemaker.models.pictures import read_picture
from tastemaker.models.vlm import open_vision_model
from tastemaker.reinforce.picture_lines import read_boxes
from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.sandbox import SandboxKind, open_sandbox
from tastemaker.reinforce.vtool_rollout import RolloutOptions, rollouts
from tastemaker.reinforce.vtool_speaker import Speech, VisionSpeaker
from tastemaker.reinforce.workbench import SandboxLimits
from tastemaker.report.asked import render
from tastemaker.run import vtool_folder
from tastemaker.run.vtool_questions import shrunk
from tastemaker.run.vtool_results import steps_of

if TYPE_CHECKING:
    from PIL.Image import Image

PAGE = "ask.html"
KINDS = ("auto", "chart", "table")
"""Of pictures."""


@dataclass(frozen=True)
class Request:
    """What is asked, of whom, and what they may do."""

    image: str
    question: str
    model: str
    tools: bool = False
    boxes: str = ""
    """JSON file; empty: what is read in the picture"""
    kind: str = "auto"
    """chart, table, or auto"""
    sandbox: SandboxKind = "monty"
    seconds: float = 1.0
    """that code may run"""
    fuzzy: bool = True
    replaces: bool = False
    longest: int = 1024
    """pixels of a side"""
    max_tokens: int = 512
    temperature: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            BadInput: Naming the field.
        """
        if not self.question.strip():
            raise BadInput("Nothing is asked.", "question", 'Ask something: "Which is highest?"')
        if self.kind not in KINDS:
            what = f"There is no kind {self.kind!r} of picture."
            raise BadInput(what, "kind", f"Use {', '.join(KINDS)}.")
        within("longest", self.longest, 32, 4096)
        for name, value in (("temperature", self.temperature), ("seed", self.seed)):
            if not 0 <= value < 2**63:
                raise BadInput(f"{name} = {value}.", name, "Give 0 or more.")


def ask(request: Request, out: str = "") -> JsonObject:
    """Ask, and write a page of the answer with the steps that led to it.

    Args:
        request: What.
        out: Page to write; empty: `ask.html`.

    Returns:
        `answer` (None: none was given), `outcome`, `steps`, `boxes`, `warnings` and `page`.

    Raises:
        BadInput: If the picture, the boxes or the model cannot be read.
        ArtefactError: If a model is damaged, or was not kept.
    """
    page = Path(out or PAGE)
    if not page.parent.is_dir():  # before the model, which may take minutes
        raise BadInput("There is no such folder for the page.", str(page), "Make it first.")
    image = read_picture(Path(request.image).expanduser())
    given = read_boxes(Path(request.boxes).expanduser()) if request.boxes else None
    vision = open_vision_model(_model(request.model))
    known = given if given is not None else _read(image, request.kind) if request.tools else {}
    small, boxes = shrunk(image, known, request.longest)
    speech = Speech(
        request.max_tokens, request.temperature, request.seed, request.tools, request.longest
    )
    speaker = VisionSpeaker(vision, speech)
    options = RolloutOptions(
        request.tools, speaker.native, request.replaces, request.fuzzy,
        limits=SandboxLimits(seconds=request.seconds),
    )  # fmt: skip
    asked = PictureQuestion(request.question, (small,), "", {"boxes": box_fields(boxes)})
    with open_sandbox(request.sandbox) as sandbox:
        try:
            (made,) = rollouts(speaker, [asked], sandbox, options)
        except BadInput as refused:
            raise _of_picture(refused, request.image) from None
    pictures: dict[str, bytes] = {}

    def save(one: Image) -> str:
        pictures[f"{len(pictures)}.png"] = _png(one)
        return f"{len(pictures) - 1}.png"

    answer: JsonObject = {
        "question": request.question,
        "answer": made.answer,
        "outcome": made.outcome,
        "model": request.model,
        "picture": save(small),
        "steps": steps_of(made, save),
        "boxes": {axis: list(some) for axis, some in boxes.items()},
        "warnings": _warnings(request, boxes, small, made.answer),
    }
    files.write_text(page, render(answer, pictures))
    return answer | {"page": str(page)}


def _of_picture(refused: BadInput, image: str) -> BadInput:
    """What a model refuses of a row, in the words of who asks about one picture."""
    if refused.where != "row 0":
        return refused
    what = refused.what.replace("Row 0 has", "Picture and question have")
    fix = "Ask in fewer words, or give a smaller --longest or --max-tokens."
    return BadInput(what, image, fix)


def _model(name: str) -> str:
    """The folder of a model, in a run or not."""
    folder = Path(name).expanduser()
    if vtool_folder.is_run(folder):
        return str(vtool_folder.learned_model(folder))
    return str(locate(within_run(name)))


def _read(image: Image, kind: str) -> dict[Axis, Boxes]:
    """Boxes by what is written in a picture."""
    from tastemaker.models.picture_text import TextReader

    pieces = TextReader()(image)
    if kind != "auto":
        return header_boxes(pieces, image.size, kind)
    chart = header_boxes(pieces, image.size, "chart")
    table = header_boxes(pieces, image.size, "table")
    # A table has several pieces on most lines; the labels of a chart are one line and a pile.
    columns, rows = (len(table.get(axis, {})) for axis in ("columns", "rows"))
    is_table = columns > 1 and rows > 2 and columns * rows <= 1.5 * len(pieces)
    return table if is_table or not chart else chart


def _warnings(
    request: Request, boxes: Mapping[Axis, Boxes], image: Image, answer: str | None
) -> list[str]:
    told = []
    outside = [
        repr(name[:40])
        for some in boxes.values()
        for name, box in some.items()
        if box.pixels(*image.size) is None
    ]
    if outside:
        named = ", ".join(outside[:3]) + (" and others" if len(outside) > 3 else "")
        told.append(f"Nothing of the picture is in the boxes of {named}: no edit shows them.")
    if request.boxes and not any(boxes.values()):
        told.append(f"{request.boxes} names no place: it was asked without tools.")
    elif request.tools and not any(boxes.values()):
        told.append("No text that names anything was found in the picture: it was asked without "
                    "tools. Give --boxes FILE.json to name places yourself.")  # fmt: skip
    if answer is None:
        told.append("The model gave no final answer; what it wrote stands in the steps.")
    return told


def _png(image: Any) -> bytes:
    held = io.BytesIO()
    image.convert("RGB").save(held, "PNG", optimize=True)
    return held.getvalue()
