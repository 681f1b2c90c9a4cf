"""The page of one answer: the picture, each step, the edited picture, and what was said at last."""

from __future__ import annotations

from collections.abc import Mapping

from tastemaker.report.tables import listed, part
from tastemaker.report.templates import page_of
from tastemaker.report.visual import Pictures, in_lines, shown
from tastemaker.report.wording import clean


def render(answer: Mapping[str, object], pictures: Pictures) -> str:
    """The page as HTML text.

    Args:
        answer: What `run.ask` gives; any part may be missing.
        pictures: Those that it names, as PNG.
    """
    told: Mapping[str, object] = clean(in_lines(answer))
    boxes = part(told, "boxes")
    return page_of(
        "asked.html",
        shown=shown(told, pictures),
        model=str(told.get("model", "")),
        named=[(axis, [str(name) for name in listed(boxes, axis)]) for axis in boxes],
        warnings=[str(one) for one in listed(told, "warnings")],
    )
