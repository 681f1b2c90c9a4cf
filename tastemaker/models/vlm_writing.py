"""Answers by a vision-language model, several at once: none depends on what stands beside it.

Prompts are padded on the left and masked; what is drawn at a temperature comes from noise of the
turn's own (the largest of logits / temperature + Gumbel noise is a draw of their softmax).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from tastemaker.models.vlm_rows import Asked


class Drawn:
    """What is added to logits, so that the largest is the token to take.

    Args:
        asked: Turns of a batch.
        temperature: Of the softmax that is drawn from; 0: nothing is added.
        seed: Of what is drawn.
    """

    def __init__(self, asked: Sequence[Asked], temperature: float, seed: int) -> None:
        self._temperature = temperature
        self._draws = [_noise(one, seed) for one in asked] if temperature else []

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """(B, V) float32 of (B, T) tokens and (B, V) logits."""
        del input_ids
        if not self._draws:
            return scores
        noise = [torch.rand(scores.shape[1], generator=draw).double() for draw in self._draws]
        uniform = torch.stack(noise).clamp(1e-300, 1 - 1e-16)
        gumbel = -torch.log(-torch.log(uniform)).float().to(scores.device)
        return scores.float() / self._temperature + gumbel


def left_padded(prompts: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
    """(B, L) int64 tokens that end together, and (B, L) bool, false at padding."""
    width = max(map(len, prompts))
    tokens = torch.tensor([[padding] * (width - len(row)) + list(row) for row in prompts])
    lengths = torch.tensor([len(row) for row in prompts])[:, None]
    return tokens, torch.arange(width) >= width - lengths


def forget(model: Any) -> None:
    """Let go of what a model keeps of the pictures that it answered about last."""
    inner = model.model
    if "rope_deltas" in vars(inner):
        inner.rope_deltas = None


def _noise(one: Asked, seed: int) -> torch.Generator:
    """Noise of a turn's own."""
    shown = b"" if one.picture is None else one.picture.tobytes()
    told = f"{seed}\n{one.text}\n".encode(errors="surrogatepass")
    drawn = hashlib.sha256(told + shown).digest()
    return torch.Generator().manual_seed(int.from_bytes(drawn[:8], "big") >> 1)
