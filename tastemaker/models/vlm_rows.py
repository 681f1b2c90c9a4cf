"""Rows of a vision-language model: tokens, what is learned of them, and their pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Picture = npt.NDArray[np.uint8]
"""(H, W, 3) bytes of RGB, of any size."""
_GRID, _PIXELS = "image_grid_thw", "pixel_values"


@dataclass(frozen=True, eq=False)
class Asked:
    """One turn of a user about at most one picture, and its answer."""

    text: str
    picture: Picture | None = None
    answer: str = ""
    """to learn from, or to measure by; empty: none"""


@dataclass(frozen=True, eq=False)
class Said:
    """One turn of a conversation of several."""

    role: Literal["user", "assistant", "tool"]
    text: str
    pictures: tuple[Picture, ...] = ()
    """shown before the text"""


@dataclass(frozen=True, eq=False)
class Rows:
    """B rows as a model takes them."""

    tokens: Tensor
    """(B, L) int64, padded on the right"""
    mask: Tensor
    """(B, L) bool, false at padding"""
    learned: Tensor
    """(B, L) bool: tokens of answers and the mark that ends them"""
    pictures: dict[str, Tensor]
    """arguments of the model, such as pixel_values (P, 3, H, W): P pictures in the order of rows"""
    held: Tensor
    """(B,) int64, pictures of each row"""

    def __len__(self) -> int:
        """B."""
        return len(self.tokens)

    def to(self, device: torch.device | str) -> Rows:
        """The same on a device."""
        pictures = {name: tensor.to(device) for name, tensor in self.pictures.items()}
        parts = (self.tokens, self.mask, self.learned)
        tokens, mask, learned = (part.to(device) for part in parts)
        return Rows(tokens, mask, learned, pictures, self.held.to(device))

    def take(self, start: int, stop: int) -> Rows:
        """Rows `start` to `stop`, with their pictures; columns that only pad are cut off."""
        first, last = int(self.held[:start].sum()), int(self.held[:stop].sum())
        mask = self.mask[start:stop]
        width = int(mask.sum(1).max()) if len(mask) else 0
        return Rows(
            self.tokens[start:stop, :width], mask[:, :width], self.learned[start:stop, :width],
            _some(self.pictures, first, last), self.held[start:stop],
        )  # fmt: skip


def _some(pictures: Mapping[str, Tensor], first: int, last: int) -> dict[str, Tensor]:
    """Those of pictures `first` to `last`.

    Tensors have a row a picture, or, beside a grid, pixels have a row for each of its cells.
    """
    if first == last:
        return {}
    chosen = {}
    for name, tensor in pictures.items():
        begin, end = first, last
        if name == _PIXELS and _GRID in pictures:
            cells = pictures[_GRID].prod(1).cumsum(0).tolist()
            begin, end = (cells[place - 1] if place else 0 for place in (first, last))
        chosen[name] = tensor[begin:end]
    return chosen


def padded_rows(
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sequence[int]],
    pictures: dict[str, Tensor],
    held: Sequence[int],
    padding: int,
) -> Rows:
    """Rows of prompts and, behind them, answers, of which alone is learned.

    Args:
        prompts: Tokens of B prompts.
        answers: Tokens of B answers with their end; some may be empty.
        pictures: Arguments of the model.
        held: Pictures of each row.
        padding: Token that stands where nothing is.
    """
    whole = [[*prompt, *answer] for prompt, answer in zip(prompts, answers, strict=True)]
    width = max(map(len, whole), default=0)
    tokens = torch.tensor([row + [padding] * (width - len(row)) for row in whole])
    tokens = tokens.reshape(len(whole), width).long()
    lengths = torch.tensor([len(row) for row in whole], dtype=torch.long)[:, None]
    begins = torch.tensor([len(prompt) for prompt in prompts], dtype=torch.long)[:, None]
    place = torch.arange(width)
    mask = place < lengths
    held_rows = torch.tensor(held, dtype=torch.long)
    return Rows(tokens, mask, mask & (place >= begins), pictures, held_rows)
