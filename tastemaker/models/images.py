"""Pictures as vectors of length one, by a network that is on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.artifacts import verify
from tastemaker.errors import BadInput
from tastemaker.files import read_json
from tastemaker.models.encode import unit_rows, within
from tastemaker.models.extras import extra
from tastemaker.models.identity import identity_of, model_identity
from tastemaker.models.library import efficientnet
from tastemaker.models.packaged import KIND, locate
from tastemaker.models.shards import WEIGHTS
from tastemaker.weights import checked_tensors, expected_of

if TYPE_CHECKING:
    from PIL.Image import Image


MOST_PIXELS = 50_000_000
"""Of a picture; a small file can hold more than the memory does."""


class ImageEncoder:
    """Pictures to vectors of length one: EfficientNet-Lite0 before its classifier.

    The middle square of a picture is scaled to 224 x 224 and its bytes to (x - 127) / 128, as the
    network was trained. (The README of the package copies another normalisation from its parent
    project; the mean that the first batch norm keeps fits this one, and not that.)

    Args:
        name: What `packaged.locate` takes; the folder holds EfficientNet-Lite0.
        batch: Pictures a forward pass.
        device: Where torch computes, such as `cpu` or `cuda`.

    Raises:
        BadInput: If the model is not there, or is another.
        ArtefactError: If its folder is damaged.
    """

    def __init__(
        self, name: str | Path = "efficientnet-lite0", batch: int = 16, device: str = "cpu"
    ) -> None:
        within("batch", batch, 1, 2**20)
        folder = locate(name)
        self._model, size = opened_network(folder)
        self._model.eval().to(device)
        self._size, self._batch, self._device = size, batch, device
        self.dim: int = len(self._model.state_dict()["_conv_head.weight"])
        """D = 1280"""
        self.identity = identity_of(model_identity(folder), {"image": 1, "size": self._size})
        """hex sha256 of weights and preparation"""

    def content(self, source: str | Path | Image, row: int) -> bytes:
        """What decides the vector of input number `row`: bytes of a file, or scaled pixels.

        Raises:
            BadInput: If it cannot be read; names the file or the row.
        """
        if not isinstance(source, str | Path):
            return square(source, self._size, row).tobytes()
        return picture_bytes(source)

    def __call__(self, inputs: Sequence[str | Path | Image]) -> npt.NDArray[np.float32]:
        """Vectors of N pictures or paths of pictures: (N, 1280), rows of length one, in order.

        Raises:
            BadInput: If one is missing or no picture; names the file or the row.
            NumericFault: If a vector is not finite.
        """
        if isinstance(inputs, str):
            raise BadInput("One path was given for a list.", "inputs", "Put it into a list.")
        vectors = np.zeros((len(inputs), self.dim), np.float32)
        for start in range(0, len(inputs), self._batch):
            rows = inputs[start : start + self._batch]
            pixels = np.stack(
                [square(source, self._size, row) for row, source in enumerate(rows, start)]
            )  # (B, S, S, 3)
            vectors[start : start + len(rows)] = self._forward(torch.from_numpy(pixels))
        return vectors

    @torch.inference_mode()
    def _forward(self, pixels: Tensor) -> npt.NDArray[np.float32]:
        scaled = (pixels.to(self._device).permute(0, 3, 1, 2).float() - 127) / 128
        pooled = self._model.extract_features(scaled).mean((2, 3))  # (B, D)
        ready: npt.NDArray[np.float32] = unit_rows(pooled).cpu().numpy()
        return ready


def opened_network(folder: Path) -> tuple[Any, int]:
    """EfficientNet-Lite0 of a folder, and the pixels of a side that it was trained at.

    Raises:
        BadInput: If the folder holds another model.
        ArtefactError: If it is damaged.
    """
    config = read_json(folder / "config.json")
    fix = "Run `tastemaker models install efficientnet-lite0`."
    if config.get("model_type") != "efficientnet-lite0":
        what = f"The model is {config.get('model_type')!r}, not efficientnet-lite0."
        raise BadInput(what, str(folder), fix)
    size = config.get("image_size")
    if not isinstance(size, int) or not 32 <= size <= 4096:
        raise BadInput(f"A network of pictures {size!r} wide is none.", str(folder), fix)
    verify(folder, KIND)
    network: Any = efficientnet()
    network.load_state_dict(checked_tensors(folder / WEIGHTS, expected_of(network)))
    return network, size


def _unreadable(name: str, error: Exception) -> BadInput:
    fix = "Give a whole JPEG, PNG or WebP file, or leave it out."
    if isinstance(error, OSError) and error.strerror:
        why = error.strerror.lower()
    else:
        why = str(error) or type(error).__name__
    return BadInput(f"The picture cannot be read: {why}.", name, fix)


def picture_bytes(path: str | Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        BadInput: If it cannot be read; names the file.
    """
    try:
        return Path(path).read_bytes()
    except (OSError, ValueError) as error:
        raise _unreadable(str(path), error) from error


def square(source: Any, size: int, row: int) -> npt.NDArray[np.uint8]:
    """The middle square of a picture, upright and on white: (size, size, 3) bytes of RGB.

    Args:
        source: A path, a picture of PIL, or (H, W, 3) bytes.
        size: Pixels of a side.
        row: Its number, for messages.

    Raises:
        BadInput: If it cannot be read; names the file or the row.
    """
    with extra("vision"):
        from PIL import Image, ImageOps
    named = isinstance(source, str | Path)
    if isinstance(source, np.ndarray):
        source = _drawn(source, row)
    if not named and not isinstance(source, Image.Image):
        what = f"Row {row} is {type(source).__name__}, no picture."
        raise BadInput(what, f"row {row}", "Give a path, a picture of PIL, or (H, W, 3) bytes.")
    try:
        with Image.open(source) if named else source.copy() as picture:
            _refuse_huge(picture, str(source) if named else f"row {row}")
            upright = bytes_a_colour(ImageOps.exif_transpose(picture))
        if upright.has_transparency_data:
            clear = upright.convert("RGBA")
            upright = Image.new("RGBA", clear.size, "white")
            upright.alpha_composite(clear)
        side = min(upright.size)
        left, top = (upright.width - side) / 2, (upright.height - side) / 2
        square = (left, top, left + side, top + side)
        ready = upright.convert("RGB").resize((size, size), Image.Resampling.BICUBIC, square)
    except BadInput:
        raise
    except Exception as error:  # decoders of damaged files raise anything at all
        raise _unreadable(str(source) if named else f"row {row}", error) from error
    return np.array(ready)


def _refuse_huge(picture: Image, where: str) -> None:
    """Refuse what the memory may not hold, before it is decoded."""
    pixels = picture.width * picture.height
    if pixels > MOST_PIXELS:
        what = f"The picture has {pixels:,} pixels."
        raise BadInput(what, where, f"Scale it to at most {MOST_PIXELS:,}.")


def bytes_a_colour(picture: Any) -> Any:
    """A picture of more than 8 bits a colour, scaled to 8: else all of it were white.

    Raises:
        ValueError: If it has fractions for colours, whose range nothing tells.
    """
    if not picture.mode.startswith("I"):
        if picture.mode == "F":
            raise ValueError("its values have no known range")
        return picture
    from PIL import Image

    return Image.fromarray((np.array(picture).clip(0, 65535) // 256).astype(np.uint8))


def _drawn(pixels: npt.NDArray[Any], row: int) -> Any:
    """A picture of PIL of (H, W, 3) bytes."""
    from PIL import Image

    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        what = f"An array of shape {pixels.shape} of {pixels.dtype} is no picture."
        raise BadInput(what, f"row {row}", "Give (H, W, 3) bytes of RGB.")
    return Image.fromarray(pixels)
