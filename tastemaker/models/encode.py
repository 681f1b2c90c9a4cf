"""Text and images as vectors of length one, by models that are on this machine.

Whoever turns content into vectors is an `Encode`; `cached.Cached` keeps what one has made.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.artifacts import verify
from tastemaker.errors import ArtefactError, BadInput, NumericFault
from tastemaker.files import load_tensors, read_json
from tastemaker.models.cached import Cached
from tastemaker.models.convert import WEIGHTS, extra, quiet
from tastemaker.models.identity import identity_of, model_identity
from tastemaker.models.packaged import KIND, locate

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Cached", "Encode", "ImageEncoder", "Pooling", "TextEncoder", "model_identity"]

Pooling = Literal["mean", "cls", "last"]
"""Average of all tokens, the first one, or the last one."""

_SORTED = 4096  # texts that are tokenised and sorted by length together


class Encode(Protocol):
    """Turns content into vectors; equal identities give equal vectors."""

    @property
    def identity(self) -> str:
        """Hex sha256 that names the weights and every option that changes a vector."""
        ...

    @property
    def dim(self) -> int:
        """D, the length of a vector."""
        ...

    def __call__(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        """Vectors of N inputs, in their order: (N, D), finite."""
        ...


class TextEncoder:
    """Texts to vectors of length one by any encoder or causal model of transformers.

    Weights are computed with in float32, whatever they are stored in.

    Args:
        name: What `packaged.locate` takes: a packaged name, a folder, or a name in the hub cache.
        max_tokens: Longer texts are cut; special tokens count.
        pooling: How token vectors become one; causal models do better with `last`.
        batch: Texts a forward pass; no vector depends on it by more than 1e-5.
        device: Where torch computes, such as `cpu` or `cuda`.

    Raises:
        BadInput: If the model is not there, cannot be read, or an option is out of range.
        ArtefactError: If weights are missing from its files.
    """

    def __init__(
        self,
        name: str | Path = "minilm",
        max_tokens: int = 128,
        pooling: Pooling = "mean",
        batch: int = 64,
        device: str = "cpu",
    ) -> None:
        folder = locate(name)
        if pooling not in get_args(Pooling):
            fix = "Give mean, cls or last."
            raise BadInput(f"No pooling is called {pooling!r}.", "pooling", fix)
        self._tokenizer, self._model = _load(folder)
        config = self._model.config.to_dict()
        least = self._tokenizer.num_special_tokens_to_add() + 1
        most = min(self._tokenizer.model_max_length, config.get("max_position_embeddings") or 2**31)
        _within("max_tokens", max_tokens, least, most)
        _within("batch", batch, 1, 2**20)
        self._model.to(device)
        self._max_tokens, self._pooling, self._batch = max_tokens, pooling, batch
        self._device = torch.device(device)
        self.dim: int = config["hidden_size"]
        """D"""
        options = {"text": 1, "max_tokens": max_tokens, "pooling": pooling}
        self.identity = identity_of(model_identity(folder), options)
        """hex sha256 of weights, tokenizer, max_tokens and pooling"""

    def __call__(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        """Vectors of N texts: (N, D), rows of length one, in the order of `inputs`.

        Raises:
            BadInput: If a row is not a text.
            NumericFault: If a vector is not finite.
        """
        if isinstance(inputs, str):
            raise BadInput("One text was given for a list.", "inputs", "Put it into a list.")
        for row, text in enumerate(inputs):
            if not isinstance(text, str):
                what = f"Row {row} is {type(text).__name__}, not text."
                raise BadInput(what, f"row {row}", "Give one text a row; an empty one is fine.")
        vectors = np.zeros((len(inputs), self.dim), np.float32)
        for start in range(0, len(inputs), _SORTED):
            tokens = self._tokens(inputs[start : start + _SORTED])
            order = sorted(range(len(tokens)), key=lambda row: len(tokens[row]))
            for at in range(0, len(order), self._batch):
                rows = order[at : at + self._batch]
                found = self._forward([tokens[row] for row in rows])
                vectors[np.array(rows) + start] = found.cpu().numpy()
        return vectors

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        whole = [text.encode(errors="replace").decode() for text in texts]  # no half surrogates
        cut: Any = {"truncation": True, "max_length": self._max_tokens}
        ids = self._tokenizer(whole, **cut, return_attention_mask=False)["input_ids"]
        return [row or [self._tokenizer.eos_token_id or 0] for row in ids]

    @torch.inference_mode()
    def _forward(self, tokens: list[list[int]]) -> Tensor:
        lengths = torch.tensor([len(row) for row in tokens], device=self._device)  # (B,)
        width = max(map(len, tokens))
        padded = torch.tensor([row + [0] * (width - len(row)) for row in tokens])  # (B, T)
        mask = torch.arange(width, device=self._device) < lengths[:, None]  # (B, T)
        states = self._model(
            input_ids=padded.to(self._device), attention_mask=mask.long()
        ).last_hidden_state  # (B, T, D)
        if self._pooling == "cls":
            pooled = states[:, 0]
        elif self._pooling == "last":
            pooled = states[torch.arange(len(tokens), device=self._device), lengths - 1]
        else:
            pooled = (states * mask[..., None]).sum(1) / lengths[:, None]
        return _units(pooled)


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
        folder = locate(name)
        config = read_json(folder / "config.json")
        if config.get("model_type") != "efficientnet-lite0":
            what = f"Model {str(name)!r} is {config.get('model_type')!r}, not efficientnet-lite0."
            raise BadInput(what, str(folder), "Run `tastemaker models install efficientnet-lite0`.")
        _within("batch", batch, 1, 2**20)
        verify(folder, KIND)
        with extra("vision"), redirect_stdout(StringIO()):  # it may print what it builds
            from efficientnet_lite_pytorch import EfficientNet

            self._model: Any = EfficientNet.from_name("efficientnet-lite0")
        self._model.load_state_dict(load_tensors(folder / WEIGHTS))
        self._model.eval().to(device)
        self._size, self._batch, self._device = int(config["image_size"]), batch, device
        self.dim: int = config["hidden_size"]
        """D = 1280"""
        self.identity = identity_of(model_identity(folder), {"image": 1, "size": self._size})
        """hex sha256 of weights and preparation"""

    def content(self, one: str | Path | Image, row: int) -> bytes:
        """What decides the vector of input number `row`: bytes of a file, or scaled pixels.

        Raises:
            BadInput: If it cannot be read; names the file or the row.
        """
        if not isinstance(one, str | Path):
            return _pixels(one, self._size, row).tobytes()
        try:
            return Path(one).read_bytes()
        except (OSError, ValueError) as error:
            raise _unreadable(str(one), error) from error

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
                [_pixels(one, self._size, row) for row, one in enumerate(rows, start)]
            )  # (B, S, S, 3)
            vectors[start : start + len(rows)] = self._forward(torch.from_numpy(pixels))
        return vectors

    @torch.inference_mode()
    def _forward(self, pixels: Tensor) -> npt.NDArray[np.float32]:
        scaled = (pixels.to(self._device).permute(0, 3, 1, 2).float() - 127) / 128
        pooled = self._model.extract_features(scaled).mean((2, 3))  # (B, D)
        ready: npt.NDArray[np.float32] = _units(pooled).cpu().numpy()
        return ready


def _within(option: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        fix = f"Give {least:,} to {most:,}."
        raise BadInput(f"{option} = {value} is out of range.", option, fix)


def _load(folder: Path) -> tuple[Any, Any]:
    """Tokenizer and model of a folder, in float32, from safetensors alone."""
    config, fix = read_json(folder / "config.json"), "Give an encoder or a causal model."
    with extra("llm"), quiet():
        from safetensors import SafetensorError
        from transformers import CONFIG_MAPPING, AutoModel, AutoTokenizer

        kind = config.get("model_type")
        if kind not in CONFIG_MAPPING or config.get("is_encoder_decoder"):  # or it asks on a tty
            raise BadInput(f"Models of type {kind!r} encode no text here.", str(folder), fix)
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
            model: Any
            model, report = AutoModel.from_pretrained(
                folder,
                local_files_only=True,
                use_safetensors=True,
                dtype=torch.float32,
                output_loading_info=True,
            )
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            what = f"The model cannot be read: {error!s:.300}"
            fix = "Give a folder that transformers' save_pretrained wrote, with its tokenizer."
            raise BadInput(what, str(folder), fix) from error
    missing = sorted(n for n in report["missing_keys"] if not n.startswith("pooler."))
    if missing:
        fix = "Download or convert the model again."
        got = f"none for {', '.join(missing[:3])}"
        raise ArtefactError(str(folder), "Weights are incomplete", "all of them", got, fix)
    return tokenizer, model.eval()


def _units(vectors: Tensor) -> Tensor:
    """Rows of (B, D) at length one; zeros stay zeros."""
    if not torch.isfinite(vectors).all():
        fix = "Its weights are damaged or overflow: use another model."
        raise NumericFault("A vector of the model is not finite.", "encode", fix)
    return torch.nn.functional.normalize(vectors, dim=1)


def _unreadable(name: str, error: Exception) -> BadInput:
    fix = "Give a whole JPEG, PNG or WebP file, or leave it out."
    return BadInput(f"The picture cannot be read: {error}.", name, fix)


def _pixels(source: Any, size: int, row: int) -> npt.NDArray[np.uint8]:
    """The middle square of a picture, upright and on white: (size, size, 3) bytes of RGB."""
    with extra("vision"):
        from PIL import Image, ImageOps
    named = isinstance(source, str | Path)
    broken = (OSError, ValueError, SyntaxError, AttributeError, Image.DecompressionBombError)
    try:
        with Image.open(source) if named else source.copy() as picture:
            upright = ImageOps.exif_transpose(picture)
        if upright.has_transparency_data:
            clear = upright.convert("RGBA")
            upright = Image.new("RGBA", clear.size, "white")
            upright.alpha_composite(clear)
        side = min(upright.size)
        left, top = (upright.width - side) / 2, (upright.height - side) / 2
        square = (left, top, left + side, top + side)
        ready = upright.convert("RGB").resize((size, size), Image.Resampling.BICUBIC, square)
    except broken as error:
        raise _unreadable(str(source) if named else f"row {row}", error) from error
    return np.array(ready)
