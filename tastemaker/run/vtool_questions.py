"""Questions about pictures for a training: where they come from, and which are held out.

Pictures without boxes are read, which takes a second each; what was found is kept beside the run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tastemaker import files
from tastemaker.data.boxes import Box, Boxes
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.reinforce.picture_lines import picture_lines
from tastemaker.reinforce.picture_questions import (
    PictureQuestion,
    box_fields,
    chartqa,
    of_chart,
    tabmwp,
    with_read_boxes,
)
from tastemaker.worlds.chart_data import ChartKind, ChartOptions
from tastemaker.worlds.chart_questions import Template
from tastemaker.worlds.charts import AskedChart, AskedOptions, asked_charts

if TYPE_CHECKING:
    from PIL.Image import Image

CHARTS = "charts"
"""Name of the generated charts."""


@dataclass(frozen=True)
class QuestionConfig:
    """Which questions are asked."""

    data: str = CHARTS
    """`charts`, a folder of ChartQA, a `.json` of TabMWP, or a `.jsonl` of one's own"""
    train: int = 256
    """most questions to learn from"""
    held_out: int = 64
    """most questions to measure by"""
    longest: int = 512
    """pixels of a side to which larger pictures are scaled"""
    templates: tuple[Template, ...] = AskedOptions().templates
    """what is asked of generated charts"""
    kinds: tuple[ChartKind, ...] = ("v_bar", "h_bar", "table")
    """of generated charts"""
    names: tuple[int, int] = (3, 6)
    """fewest and most on a generated chart"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what no questions can be chosen by.

        Raises:
            BadInput: If a number is below what it can be.
        """
        for name, least in (("train", 0), ("held_out", 0), ("longest", 1)):
            if (value := getattr(self, name)) < least:
                raise BadInput(f"{name} = {value} cannot be.", name, f"Give {least} or more.")


@dataclass(frozen=True, eq=False)
class Asked:
    """What is learned from, and what is measured by."""

    train: list[PictureQuestion]
    held_out: list[PictureQuestion]

    @property
    def boxed(self) -> int:
        """Questions whose picture has boxes."""
        return sum(any(one.boxes.values()) for one in (*self.train, *self.held_out))


def chart_options(config: QuestionConfig) -> ChartOptions:
    """The charts that are generated."""
    fewest, most = config.names
    return ChartOptions(config.kinds, 320, 240, fewest, most, series=2, seed=config.seed)


def generated(config: QuestionConfig, split: Any, many: int) -> list[AskedChart]:
    """Generated charts of a split."""
    asked = AskedOptions(config.templates, ())
    return list(asked_charts(chart_options(config), asked, split, many))


def gathered(config: QuestionConfig, kept: Path, told: Callable[[int, int], None]) -> Asked:
    """The questions, with boxes: `chosen`, then `boxed`."""
    return boxed(chosen(config), config, kept, told)


def chosen(config: QuestionConfig) -> Asked:
    """The questions, as they are before pictures without boxes are read.

    Raises:
        BadInput: If there are too few.
        BadData: With every bad row of the file.
    """
    if config.data != CHARTS:
        return Asked(*_parted(_read(config.data), config))
    return Asked(
        [of_chart(one) for one in generated(config, "train", config.train)],
        [of_chart(one) for one in generated(config, "test", config.held_out)],
    )


def boxed(
    asked: Asked, config: QuestionConfig, kept: Path, told: Callable[[int, int], None]
) -> Asked:
    """The questions, each with boxes, and pictures no larger than asked for.

    Args:
        asked: Questions.
        config: How they were chosen; of generated charts all is known.
        kept: JSON file in which boxes that were read are found, or are written to.
        told: Is told how many pictures of how many were read.

    Raises:
        BadInput: If a picture cannot be opened.
    """
    if config.data == CHARTS:
        return asked
    ready = _with_boxes([*asked.train, *asked.held_out], config, kept, told)
    return Asked(ready[: len(asked.train)], ready[len(asked.train) :])


def _read(data: str) -> list[PictureQuestion]:
    path = Path(data).expanduser()
    if path.is_dir():
        return chartqa(path)
    if not path.is_file():
        fix = "Give charts, a folder of ChartQA, a .json of TabMWP, or a .jsonl of your own."
        raise BadInput("There are no such questions.", data, fix)
    return picture_lines(path) if path.suffix == ".jsonl" else tabmwp(path)


def _parted(
    questions: Sequence[PictureQuestion], config: QuestionConfig
) -> tuple[list[PictureQuestion], list[PictureQuestion]]:
    """What is learned from and what is held out: no picture is in both."""
    pictures = list(dict.fromkeys(one.images[0] for one in questions))
    rng = np.random.default_rng([config.seed, 3])
    order = [pictures[n] for n in rng.permutation(len(pictures))]
    share = config.held_out / max(config.train + config.held_out, 1)
    many = min(config.held_out, max(round(share * len(order)), int(config.held_out > 0)))
    apart = set(order[:many])
    place = {one: n for n, one in enumerate(order)}
    shuffled = sorted(questions, key=lambda one: place[one.images[0]])
    held_out = [one for one in shuffled if one.images[0] in apart][: config.held_out]
    train = [one for one in shuffled if one.images[0] not in apart][: config.train]
    if not train and config.train:
        what = f"Of {len(pictures)} pictures none is left to learn from."
        raise BadInput(what, config.data, "Give more pictures, or hold out fewer questions.")
    return train, held_out


def _with_boxes(
    questions: list[PictureQuestion],
    config: QuestionConfig,
    kept: Path,
    told: Callable[[int, int], None],
) -> list[PictureQuestion]:
    known: JsonObject = files.read_json(kept) if kept.is_file() else {}
    bare = {_name(one): one for one in questions if "boxes" not in one.metadata}
    todo = {name: one for name, one in bare.items() if name not in known}
    reader = None
    for number, (name, one) in enumerate(todo.items(), 1):
        if reader is None:
            from tastemaker.models.picture_text import TextReader

            reader = TextReader()
        known[name] = with_read_boxes(one, reader).metadata["boxes"]
        told(number, len(todo))
    if todo:
        files.write_json(kept, known)
    ready = []
    for one in questions:
        fields = one.metadata.get("boxes", known.get(_name(one)))
        boxed = replace(one, metadata={**one.metadata, "boxes": fields})
        ready.append(scaled(boxed, config.longest))
    return ready


def _name(question: PictureQuestion) -> str:
    return f"{question.images[0]}"


def scaled(question: PictureQuestion, longest: int) -> PictureQuestion:
    """A question whose picture is no larger, its boxes made smaller with it.

    Raises:
        BadInput: If the picture cannot be opened.
    """
    image = question.opened()
    small, boxes = shrunk(image, question.boxes, longest)
    known = {**question.metadata, "boxes": box_fields(boxes)}
    return replace(question, images=(small,), metadata=known)


def shrunk(image: Image, boxes: Any, longest: int) -> tuple[Image, Any]:
    """A picture at most so large, and its boxes in the pixels of that."""
    part = min(1.0, longest / max(image.size))
    if part == 1:
        return image, boxes
    size = (max(1, round(image.width * part)), max(1, round(image.height * part)))

    def smaller(some: Boxes) -> Boxes:
        return {
            name: Box(*(corner * part for corner in (box.x1, box.y1, box.x2, box.y2)))
            for name, box in some.items()
        }

    return image.resize(size), {axis: smaller(some) for axis, some in boxes.items()}
