"""Text as vectors of length one, by models that are on this machine.

Its kind of object is an `Encode`, as `images.ImageEncoder` is; `cached.Cached` keeps what one has
made.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from tastemaker.errors import BadInput, NumericFault
from tastemaker.models.identity import identity_of, model_identity
from tastemaker.models.library import text_model
from tastemaker.models.packaged import locate

Pooling = Literal["mean", "cls", "last"]
"""Average of all tokens, the first one, or the last one."""

_SORTED = 4096  # texts that are tokenised and sorted by length together


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
        opened = text_model(folder)
        self._tokenizer = opened.tokenizer
        self._model = _on(opened.model, device)
        least = self._tokenizer.num_special_tokens_to_add() + 1
        within("max_tokens", max_tokens, least, opened.most_tokens)
        within("batch", batch, 1, 2**20)
        self._max_tokens, self._pooling, self._batch = max_tokens, pooling, batch
        self._device = torch.device(device)
        self.dim: int = opened.dim
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
            for first in range(0, len(order), self._batch):
                rows = order[first : first + self._batch]
                encoded = self._forward([tokens[row] for row in rows])
                vectors[np.array(rows) + start] = encoded.cpu().numpy()
        return vectors

    def _tokens(self, texts: Sequence[str]) -> list[list[int]]:
        whole = [text.encode(errors="replace").decode() for text in texts]  # no half surrogates
        ids = self._tokenizer(
            whole, truncation=True, max_length=self._max_tokens, return_attention_mask=False
        )["input_ids"]
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
        return unit_rows(pooled)


def _on(model: nn.Module, device: str) -> nn.Module:
    return model.to(device)  # by torch's type: transformers says that a device is a model


def within(option: str, value: int, least: int, most: int) -> None:
    """Refuse an option that is out of range.

    Raises:
        BadInput: With the range.
    """
    if not least <= value <= most:
        fix = f"Give {least:,} to {most:,}."
        raise BadInput(f"{option} = {value} is out of range.", option, fix)


def unit_rows(vectors: Tensor) -> Tensor:
    """Rows of (B, D) at length one; zeros stay zeros.

    Raises:
        NumericFault: If a value is not finite.
    """
    if not torch.isfinite(vectors).all():
        fix = "Its weights are damaged or overflow: use another model."
        raise NumericFault("A vector of the model is not finite.", "encode", fix)
    return torch.nn.functional.normalize(vectors, dim=1)
