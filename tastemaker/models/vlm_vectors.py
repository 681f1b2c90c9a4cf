"""Pictures and texts as vectors of one space, by the states of a vision-language model.

A picture stands in a turn of its own with a prompt behind it; a text has a prompt behind it too;
the vector is read off the last state, where the answer in one word would begin. A picture is its
middle square, upright and on white, as `pictures.square` has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import numpy.typing as npt
import torch

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.files import read_json, save_tensors, write_json
from tastemaker.models.encode import unit_rows, within
from tastemaker.models.identity import identity_of, model_identity
from tastemaker.models.packaged import locate
from tastemaker.models.pictures import picture_bytes, square
from tastemaker.models.vlm import VisionModel, open_vision_model
from tastemaker.models.vlm_embedding import (
    Embedding,
    Pooling,
    Reader,
    Side,
    picture_asked,
    text_asked,
)
from tastemaker.models.vlm_rows import Asked, Picture
from tastemaker.weights import checked_tensors, expected_of

if TYPE_CHECKING:
    from PIL.Image import Image

    Source = str | Path | Image | Picture

EMBEDDING, HEADS = "embedding.json", "heads.safetensors"
"""Files beside a model that say how vectors are read off it."""
_SORTED = 1024  # inputs that are sorted by length together


def save_reader(folder: Path, reader: Reader) -> None:
    """Write beside a model how vectors are read off it."""
    write_json(folder / EMBEDDING, asdict(reader.embedding))
    if reader.heads:
        save_tensors(folder / HEADS, reader.heads.state_dict())


def open_reader(folder: Path, dim: int) -> Reader:
    """What stands beside a model; the defaults where nothing does.

    Args:
        folder: Of the model.
        dim: d, width of a state.

    Raises:
        ArtefactError: If it is damaged.
    """
    path = folder / EMBEDDING
    reader = Reader(_embedding(path) if path.is_file() else Embedding(), dim)
    if reader.heads:
        reader.heads.load_state_dict(checked_tensors(folder / HEADS, expected_of(reader.heads)))
    return reader.eval()


def _embedding(path: Path) -> Embedding:
    told, blank = read_json(path), asdict(Embedding())
    fits = told.keys() <= blank.keys() and all(
        type(value) is type(blank[name]) for name, value in told.items()
    )
    if not fits or told.get("pooling", "last") not in get_args(Pooling):
        fix = "Train it again, or copy the file anew."
        raise ArtefactError(str(path), "Is no embedding's", ", ".join(blank), str(told)[:80], fix)
    return Embedding(**told)


class PictureTextEncoder:
    """Pictures and texts to vectors of length one; an `Encode`.

    An input that is a str is a text, never a path: a path is a `Path`. Pictures may be PIL's, or
    (H, W, 3) bytes.

    Args:
        name: A run of `embed train`, or what `packaged.locate` takes.
        batch: Inputs a forward pass; no vector depends on it by more than 1e-5.
        device: Where torch computes, such as `cpu` or `cuda`.

    Raises:
        BadInput: If the model is not there or cannot be read, or an option is out of range.
        ArtefactError: If its folder is damaged.
    """

    def __init__(self, name: str | Path, batch: int = 32, device: str = "cpu") -> None:
        within("batch", batch, 1, 2**20)
        inner = Path(name) / "model"
        folder = inner if (inner / "config.json").is_file() else locate(name)
        self.vision: VisionModel = open_vision_model(folder).to(device)
        self.dim: int = self.vision.dim
        """d"""
        self._reader = open_reader(folder, self.dim).to(device)
        self.embedding = self._reader.embedding
        """how vectors are read"""
        self._batch, self._side = batch, self.vision.picture_side
        options = {"picture_text": 1, "side": self._side, **asdict(self.embedding)}
        self.identity = identity_of(model_identity(folder), options)
        """hex sha256 of weights, tokens, preparation and how vectors are read"""

    def content(self, one: Source, row: int) -> bytes:
        """What decides the vector of input number `row`.

        Raises:
            BadInput: If a picture cannot be read; names the file or the row.
        """
        if isinstance(one, str):
            return b"t" + one.encode("utf-8", "surrogatepass")
        if isinstance(one, Path):
            return b"f" + picture_bytes(one)
        return b"p" + self._square(one, row).tobytes()

    def __call__(self, inputs: Sequence[Source]) -> npt.NDArray[np.float32]:
        """Vectors of N pictures and texts: (N, d), rows of length one, in order.

        Raises:
            BadInput: If a picture is missing or none, or a text is longer than the model reads.
            NumericFault: If a vector is not finite.
        """
        if isinstance(inputs, str | Path):
            raise BadInput("One input was given for a list.", "inputs", "Put it into a list.")
        vectors = np.zeros((len(inputs), self.dim), np.float32)
        for start in range(0, len(inputs), _SORTED):
            numbers = range(start, min(start + _SORTED, len(inputs)))
            texts = [row for row in numbers if isinstance(inputs[row], str)]
            shown = [row for row in numbers if not isinstance(inputs[row], str)]
            texts.sort(key=lambda row: len(str(inputs[row])))
            for rows in (texts, shown):
                for first in range(0, len(rows), self._batch):
                    some = rows[first : first + self._batch]
                    vectors[some] = self._encoded([inputs[row] for row in some], some)
        return vectors

    def turn(self, one: Source, row: int) -> Asked:
        """The turn whose states the vector of input number `row` is read off.

        Raises:
            BadInput: If a picture cannot be read; names the file or the row.
        """
        if isinstance(one, str):
            return text_asked(one, self.embedding)
        return picture_asked(self._square(one, row), self.embedding)

    def pictures(self, sources: Sequence[Path | Image | Picture]) -> npt.NDArray[np.float32]:
        """Vectors of N pictures or paths of pictures: (N, d)."""
        return self(sources)

    def texts(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Vectors of N texts: (N, d)."""
        return self(texts)

    def _encoded(self, some: Sequence[Any], numbers: Sequence[int]) -> npt.NDArray[np.float32]:
        """(B, d) of texts alone, or of pictures alone."""
        side: Side = "text" if isinstance(some[0], str) else "picture"
        asked = [self.turn(one, number) for number, one in zip(numbers, some, strict=True)]
        with torch.inference_mode():
            rows = self.vision.prompts.rows(asked, True, numbers).to(self.vision.device)
            vectors = unit_rows(self._reader(self.vision.states(rows), rows.mask, side))
            ready: npt.NDArray[np.float32] = vectors.cpu().numpy()
        return ready

    def _square(self, one: Any, row: int) -> Picture:
        return square(one, self._side, row)
