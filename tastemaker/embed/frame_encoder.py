"""A small frame encoder: what is where in a picture; trained once, then frozen.

Four convolutions make an 8 × 8 grid of features of a 64 × 64 frame; at each of the four places it
learns to name the kind of thing, or nothing, and where in its place the thing is. A video model
reads the grid, averaged to fewer cells.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from tastemaker.data.contexts import Int64s
from tastemaker.embed.film_batches import FilmStep, FilmSteps
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import fit
from tastemaker.worlds.clips import Clips, corner_at
from tastemaker.worlds.scenes import CELL, PLACES

GRID = 8
"""Cells of the grid, high and wide."""
PIXELS = 2 * CELL
KEPT = 4
"""Cells, high and wide, that features are kept at: the finest that a video model reads."""
_FAR = 10.0
"""Weight of the squares of how far off a place is, in its own widths."""


@dataclass(frozen=True)
class EncoderConfig:
    """Sizes and training of the frame encoder."""

    channels: tuple[int, int, int, int] = (16, 32, 48, 48)
    epochs: int = 8
    batch: int = 64
    lr: float = 2e-3
    seed: int = 0


class FrameEncoder(nn.Module):
    """(B, 64, 64) grey frames → (B, D, 8, 8) features."""

    def __init__(self, config: EncoderConfig, kinds: int) -> None:
        """Draw the weights.

        Args:
            config: Its channels, D the last of them.
            kinds: K kinds of things, beside nothing.
        """
        super().__init__()
        one, two, three, four = config.channels
        self.dim = four
        self.body = nn.Sequential(
            nn.Conv2d(1, one, 5, stride=2, padding=2),
            nn.GroupNorm(4, one),
            nn.GELU(),
            nn.Conv2d(one, two, 3, stride=2, padding=1),
            nn.GroupNorm(4, two),
            nn.GELU(),
            nn.Conv2d(two, three, 3, stride=2, padding=1),
            nn.GroupNorm(4, three),
            nn.GELU(),
            nn.Conv2d(three, four, 3, padding=1),
        )
        half = GRID // 2
        self.head = nn.Conv2d(four, kinds + 3, half, stride=half)

    def features(self, frames: Tensor) -> Tensor:
        """(B, 64, 64) uint8 → (B, D, 8, 8)."""
        grid: Tensor = self.body(frames[:, None].float() / 255 - 0.3)
        return grid

    def places(self, frames: Tensor) -> tuple[Tensor, Tensor]:
        """(B, 64, 64) → (B, K + 1, 4) logits of what is at each place, (B, 2, 4) where it is."""
        told: Tensor = self.head(functional.gelu(self.features(frames))).flatten(2)
        return told[:, 2:], told[:, :2]

    def forward(self, step: FilmStep) -> Tensor:
        """The loss, as training asks for it."""
        return self.loss(step)

    def loss(self, step: FilmStep) -> Tensor:
        """Cross entropy of kinds and squares of ways: sum over a part / its `target_count`."""
        logits, corners = self.places(step.inputs)
        kinds, wanted = step.labels[:, 0], step.labels[:, 1:] / CELL
        total = functional.cross_entropy(logits, kinds, reduction="sum")
        there = kinds < logits.shape[1] - 1
        far = ((corners - wanted) ** 2).sum(1)[there].sum()
        return (total + _FAR * far) / (step.target_count * len(PLACES))


def seen(clips: Clips) -> tuple[Int64s, Int64s]:
    """(M, 2) clip and frame of every second frame, and (M, 3, 4) what it shows.

    At each place the kind, K for none, and the row and column of its corner.
    """
    labels = np.zeros((*clips.frames.shape[:2], 3, len(PLACES)), np.int64)
    labels[:, :, 0] = len(clips.names)
    for number, things in enumerate(clips.things):
        for thing in things:
            corners = np.array([corner_at(thing, f) for f in range(thing.comes, thing.goes)])
            labels[number, thing.comes : thing.goes, 0, thing.place] = thing.kind
            labels[number, thing.comes : thing.goes, 1:, thing.place] = corners % CELL
    rows = np.argwhere(np.ones(clips.frames.shape[:2], bool))
    rows = rows[rows[:, 1] % 2 == 0]
    return rows, labels[rows[:, 0], rows[:, 1]]


def trained(clips: Clips, config: EncoderConfig) -> tuple[FrameEncoder, float]:
    """A frozen encoder, and its share of right places on a tenth of the clips that it has not seen.

    Args:
        clips: None of which a video model is measured on.
        config: Sizes and training.
    """
    torch.manual_seed(config.seed)
    encoder = FrameEncoder(config, len(clips.names))
    rows, labels = seen(clips)
    held = rows[:, 0] >= math.ceil(0.9 * len(clips))
    films = torch.from_numpy(clips.frames)

    def steps(chosen: np.ndarray) -> FilmSteps:
        own = torch.from_numpy(rows[chosen])
        none = torch.zeros(len(own), 0, dtype=torch.long)
        return FilmSteps(
            lambda numbers: films[own[numbers, 0], own[numbers, 1]],
            none,
            torch.from_numpy(labels[chosen]),
            config.batch,
            config.seed,
        )

    test, measured = steps(held), {}

    def validate() -> dict[str, float]:
        measured["accuracy"] = share_right(encoder, test)
        return measured

    training = FitConfig(
        epochs=config.epochs, batch=config.batch, lr=config.lr, warmup=20, schedule="cosine",
        anneal=config.epochs, validate_every=config.epochs, metric="accuracy", seed=config.seed,
    )  # fmt: skip
    fit(encoder, steps(~held), training, validate)
    return encoder.eval().requires_grad_(False), measured["accuracy"]


@torch.no_grad()
def share_right(encoder: FrameEncoder, steps: FilmSteps) -> float:
    """Share of places whose kind, or emptiness, is told."""
    right = [encoder.places(s.inputs)[0].argmax(1) == s.labels[:, 0] for s in steps.in_order()]
    return float(torch.cat(right).float().mean())


@torch.no_grad()
def kept_features(encoder: FrameEncoder, clips: Clips) -> Tensor:
    """(N, F, 4, 4, D) float16 features of every frame: computed once, and then only read."""
    films = torch.from_numpy(clips.frames)
    kept = [
        functional.adaptive_avg_pool2d(encoder.features(film), KEPT).permute(0, 2, 3, 1).half()
        for film in films
    ]
    return torch.stack(kept)


def frame_flops(encoder: FrameEncoder) -> float:
    """FLOPs of one frame's features, counted as they are computed."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder.features(torch.zeros(1, PIXELS, PIXELS, dtype=torch.uint8))
    return float(counter.get_total_flops())
