"""How a vector is read off a vision-language model: prompts, pooling, a map for each side.

Papers: CAFe, arXiv 2503.19900; a prompt whose next word stands for all, E5-V, arXiv 2407.12580.

    z = unit(A pool(H(content, prompt)))

Training and use read the same row and pool the same token.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.models.vlm_rows import Asked, Picture

Pooling = Literal["last", "mean"]
"""The last token that is read, or the mean of all."""
Side = Literal["picture", "text"]
"""What a vector is made of."""


@dataclass(frozen=True)
class Embedding:
    """What decides a vector beside the model's weights."""

    pooling: Pooling = "last"
    """which token's state becomes the vector."""
    picture_prompt: str = "Compress this image in one word:"
    """what is written behind a picture."""
    text_prompt: str = "Compress this sentence in one word:"
    """what is written behind a text."""
    separator: str = " "
    """between a text and its prompt; checkpoints of the paper have none."""
    heads: bool = False
    """a linear map for each side, the identity at first."""

    def __post_init__(self) -> None:
        """Refuse a pooling that there is none of."""
        if self.pooling not in get_args(Pooling):
            fix = "Give last or mean."
            raise BadInput(f"No pooling is called {self.pooling!r}.", "--pooling", fix)


def picture_asked(picture: Picture, embedding: Embedding) -> Asked:
    """The turn whose states a picture's vector is read off."""
    return Asked(embedding.picture_prompt, picture)


def text_asked(text: str, embedding: Embedding) -> Asked:
    """The turn whose states a text's vector is read off."""
    return Asked(f"{text}{embedding.separator}{embedding.text_prompt}")


def pooled(states: Tensor, mask: Tensor, pooling: Pooling) -> Tensor:
    """(B, d) float32 of (B, L, d) states, whichever side they are padded on.

    Args:
        states: Last hidden states.
        mask: (B, L) bool, false at padding.
        pooling: The last token that is no padding, or the mean over all that are none.
    """
    wide = states.float()
    if pooling == "mean":
        weights = mask[..., None].to(wide)
        return (wide * weights).sum(1) / weights.sum(1).clamp(min=1)
    places = torch.arange(mask.shape[1], device=mask.device)
    last = (places * mask).argmax(1)
    return wide[torch.arange(len(wide), device=wide.device), last]


class Reader(nn.Module):
    """States of rows to unit vectors."""

    def __init__(self, embedding: Embedding, dim: int) -> None:
        """Maps that change nothing at first, where there are any.

        Args:
            embedding: How vectors are read.
            dim: d, width of a state and of a vector.
        """
        super().__init__()
        self.embedding, self.dim = embedding, dim
        self.heads = nn.ModuleDict()
        if embedding.heads:
            for side in get_args(Side):
                head = nn.Linear(dim, dim, bias=False)
                nn.init.eye_(head.weight)
                self.heads[side] = head

    def forward(self, states: Tensor, mask: Tensor, side: Side) -> Tensor:
        """(B, d) float32 rows of length one.

        Args:
            states: (B, L, d).
            mask: (B, L) bool.
            side: What the rows hold.
        """
        vectors = pooled(states, mask, self.embedding.pooling)
        return F.normalize(self.heads[side](vectors) if self.heads else vectors, dim=-1)
