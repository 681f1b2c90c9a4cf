"""Text in pictures: what is written where, read by networks that come in a package."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tastemaker.data.boxes import Box
from tastemaker.errors import BadInput
from tastemaker.inert import inert
from tastemaker.models.extras import extra

if TYPE_CHECKING:
    from PIL.Image import Image

_LONGEST = 200
"""Characters of one piece of text."""
_SIDE = 960
"""Pixels of the longer side in which text is looked for; a larger picture is scaled to it."""
_LOWEST, _NARROWEST = 6, 40
"""Pixels, and times that a picture may be longer than high: outside of them nothing is read."""


@dataclass(frozen=True)
class Written:
    """A piece of text on one line."""

    text: str
    """inert; blanks inside it may be missing"""
    box: Box
    """around it"""
    certainty: float
    """from 0 to 1"""


class TextReader:
    """Reads what is written in pictures, one thread at a time.

    Args:
        certainty: Below which a piece is left out.

    Raises:
        BadInput: If the library is missing, or there is no such certainty.
    """

    def __init__(self, certainty: float = 0.5) -> None:
        if not 0 <= certainty <= 1:
            raise BadInput(f"{certainty} is no certainty.", "certainty", "Give 0 to 1.")
        with extra("ocr"):
            from rapidocr_onnxruntime import RapidOCR
        logging.getLogger("RapidOCR").setLevel(logging.ERROR)
        self._read: Any = RapidOCR(
            intra_op_num_threads=1, inter_op_num_threads=1, use_cls=False, text_score=certainty,
            det_limit_type="max", det_limit_side_len=_SIDE,
        )  # fmt: skip

    def __call__(self, image: Image) -> list[Written]:
        """Pieces of text, from the top down and from the left to the right.

        Args:
            image: Upright, of any mode.
        """
        short, long = sorted(image.size)
        if short < _LOWEST or long > _NARROWEST * short:
            return []
        pixels = np.asarray(image.convert("RGB"))[:, :, ::-1]
        found, _ = self._read(np.ascontiguousarray(pixels), use_cls=False)
        pieces = [_piece(corners, text, certainty) for corners, text, certainty in found or ()]
        return sorted((one for one in pieces if one.text), key=lambda one: (one.box.y1, one.box.x1))


def _piece(corners: list[list[float]], text: str, certainty: float) -> Written:
    """What the library says of one piece: four corners, the text, how sure it is."""
    xs, ys = zip(*corners, strict=True)
    box = Box(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))
    return Written(" ".join(inert(text).split())[:_LONGEST], box, float(certainty))
