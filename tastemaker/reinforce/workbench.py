"""Workbench: all that a snippet written by a model can touch, and that with bounds.

Pictures stay out here. A snippet holds handles, texts such as `<image 1>`; it may hand them to the
tools and to `display`. Whatever it hands over is checked as if an enemy had written it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tastemaker.data.boxes import Axis, Box, Boxes
from tastemaker.errors import BadInput
from tastemaker.inert import inert
from tastemaker.reinforce.tools import TOOLS, Tool, ToolFault, differ

if TYPE_CHECKING:
    from PIL.Image import Image

DISPLAY = "display"
FIRST = "image_1"
"""What a snippet calls the picture that it is given."""
MOST_BOXES = 200
"""Boxes that a snippet may hand over."""
LINE = 200
"""Characters of what is said of an error."""
_WORD = re.compile(r"[^\s'\"]+")
_LONGEST = 200


@dataclass(frozen=True)
class SandboxLimits:
    """What a snippet may take."""

    seconds: float = 1.0
    """of running"""
    memory: int = 32 * 2**20
    """bytes of its own"""
    recursion: int = 100
    """calls inside calls"""
    calls: int = 100
    """of tools and of `display`"""
    characters: int = 8_000
    """that it is long"""
    pixels: int = 2**25
    """of all pictures that it makes"""

    def __post_init__(self) -> None:
        """Refuse limits under which nothing runs, or all does."""
        counts = (self.memory, self.recursion, self.calls, self.characters, self.pixels)
        if not 0 < self.seconds <= 60 or min(counts) < 1:
            fix = "Give 0 to 60 seconds, and counts of 1 or more."
            raise BadInput(f"Under {self} no snippet runs.", "sandbox", fix)


class TooMuch(ToolFault):
    """A snippet has used up its calls, its seconds or its pixels."""


class SnippetFault(Exception):
    """What ended a snippet, on one line that its writer may read."""


class Workbench:
    """A picture, its boxes and the tools, for one snippet that runs now.

    Args:
        image: What the snippet knows as `image_1`.
        boxes: By axis; tools of other axes are not there.
        limits: Calls, pixels, and seconds that its calls may compute here.
        fuzzy: Whether a name that no box has stands for the nearest.
    """

    def __init__(
        self,
        image: Image,
        boxes: Mapping[Axis, Boxes],
        limits: SandboxLimits | None = None,
        fuzzy: bool = False,
    ) -> None:
        self.limits = limits or SandboxLimits()
        self.shown: Image | None = None
        """what was displayed last"""
        self.notes: list[str] = []
        """of names that no box has"""
        self._boxes, self._fuzzy = boxes, fuzzy
        self._images = {_handle(1): image}
        self._pixels = self._calls = 0
        self._due = time.thread_time() + self.limits.seconds
        tools = {tool.name: tool for tool in TOOLS.values() if tool.axis in boxes}
        self._tools: Mapping[str, Tool] = tools
        self.functions = (*tools, DISPLAY)
        """names of what can be called"""
        self.values: dict[str, object] = {FIRST: _handle(1)} | {
            boxes_name(axis): {name: box.fields for name, box in some.items()}
            for axis, some in boxes.items()
        }
        """names that mean something, and what: texts, numbers and dicts alone"""

    @property
    def edited(self) -> bool:
        """Whether a pixel of what was displayed differs from the first image."""
        return self.shown is not None and differ(self._images[_handle(1)], self.shown)

    def call(self, name: str, given: Sequence[object], named: Mapping[str, object]) -> str | None:
        """Do what a snippet asks for.

        Args:
            name: One of `functions`.
            given: What it gives in order.
            named: What it gives by name.

        Returns:
            The handle of a new picture; None from `display`.

        Raises:
            ToolFault: If it asks for anything else.
            TooMuch: If it has asked for too much.
        """
        self._calls += 1
        if self._calls > self.limits.calls:
            raise TooMuch(f"A snippet may make {self.limits.calls} calls.")
        if time.thread_time() > self._due:
            raise TooMuch(f"A snippet may run {self.limits.seconds:g} s.")
        if name == DISPLAY:
            values = _in_order(name, ("image",), {}, given, named)
            self.shown = self._image(name, values.get("image"))
            return None
        if name not in self._tools:
            raise ToolFault(f"There is no function {name[:40]!r}.")
        return self._edit(self._tools[name], given, named)

    def _edit(self, tool: Tool, given: Sequence[object], named: Mapping[str, object]) -> str:
        other = {f"{tool.axis}_to_focus_on": "names", f"all_{tool.axis}_bounding_boxes": "boxes"}
        values = _in_order(tool.name, ("image", "names", "boxes"), other, given, named)
        image = self._image(tool.name, values.get("image"))
        names = _names(tool.name, values.get("names"))
        own = self._boxes[tool.axis]
        boxes = _boxes(tool.name, values["boxes"]) if "boxes" in values else own
        self._pixels += image.width * image.height
        if self._pixels > self.limits.pixels:
            raise TooMuch(f"A snippet may make pictures of {self.limits.pixels:,} pixels in all.")
        focused = tool.focus(image, names, boxes, self._fuzzy)
        self.notes += focused.notes(boxes)
        handle = _handle(len(self._images) + 1)
        self._images[handle] = focused.image
        return handle

    def _image(self, name: str, handle: object) -> Image:
        if not isinstance(handle, str) or handle not in self._images:
            raise ToolFault(f"{name} takes an image first, such as {FIRST}.")
        return self._images[handle]


def boxes_name(axis: Axis) -> str:
    """What a snippet calls the boxes of an axis."""
    return f"{axis}_bbox"


def as_tables(boxes: Mapping[Axis, Boxes]) -> dict[Axis, Boxes]:
    """Boxes by which the tools of columns and rows work on the values of a chart too.

    So do the snippets of checkpoints that were trained with the original tools.
    """
    more: dict[Axis, Boxes] = dict(boxes)
    pairs: tuple[tuple[Axis, Axis], ...] = (("columns", "x_values"), ("rows", "y_values"))
    for axis, values in pairs:
        if values in boxes:
            more.setdefault(axis, boxes[values])
    return more


def error_line(text: str) -> str:
    """The last line of what is said of an error: short, inert, and without paths."""
    lines = [line.strip() for line in text.strip().splitlines() if line.strip()]
    last = _WORD.sub(_no_path, inert(lines[-1][: 10 * LINE])) if lines else "It failed."
    return last if len(last) <= LINE else f"{last[: LINE - 1]}…"


def _no_path(word: re.Match[str]) -> str:
    return "…" if "/" in word[0] or "\\" in word[0] else word[0]


def _handle(number: int) -> str:
    return f"<image {number}>"


def _in_order(
    function: str,
    names: Sequence[str],
    others: Mapping[str, str],
    given: Sequence[object],
    named: Mapping[str, object],
) -> dict[str, object]:
    """Values by the names of a function's arguments."""
    fix = f"Call {function}({', '.join(names)})."
    values = dict(zip(names, given, strict=False))
    for key, value in named.items():
        name = others.get(key, key)
        if name not in names or name in values:
            raise ToolFault(f"{function} takes no {key[:40]!r} here. {fix}")
        values[name] = value
    if len(given) > len(names):
        raise ToolFault(f"{function} takes {len(names)} values and was given {len(given)}. {fix}")
    return values


def _names(function: str, value: object) -> list[str]:
    """Names that a snippet hands over: texts or numbers, or one of them alone."""
    several = value if isinstance(value, list | tuple) else [value]
    fine = all(isinstance(name, str | int | float) for name in several)
    if value is None or not fine:
        raise ToolFault(f"{function} takes a list of names second, such as ['Year'].")
    return [_written(name) for name in several]


def _written(name: object) -> str:
    try:
        return str(name)[:_LONGEST]
    except ValueError:  # an integer of thousands of digits
        raise ToolFault("A name is too long.") from None


def _boxes(function: str, value: object) -> dict[str, Box]:
    what = f"{function} takes boxes third: a dict of x1, y1, x2 and y2 by name."
    if not isinstance(value, dict) or len(value) > MOST_BOXES:
        raise ToolFault(what)
    return {_written(name): _box(box, what) for name, box in value.items()}


def _box(value: object, what: str) -> Box:
    corners = (
        [value.get(key) for key in ("x1", "y1", "x2", "y2")] if isinstance(value, dict) else []
    )
    numbers = [float(one) for one in corners if isinstance(one, int | float) and abs(one) < 2**31]
    if len(numbers) != 4:
        raise ToolFault(what)
    return Box(*numbers)
