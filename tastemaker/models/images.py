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
from tastemaker.models.identity import identity_of, model_identity
from tastemaker.models.library import efficientnet
from tastemaker.models.packaged import KIND, locate
from tastemaker.models.pictures import picture_bytes, square
from tastemaker.models.shards import WEIGHTS
from tastemaker.weights import checked_tensors, expected_of

if TYPE_CHECKING:
    from PIL.Image import Image


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
