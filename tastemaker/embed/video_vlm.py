"""A small video model: frozen frame features, averaged to a few tokens, and a language model.

Of a clip's frames T are taken, evenly spread; the grid of each is averaged to V cells, projected to
the width of the language model and read, in the order of time, before the words of the question.
The state of the last word chooses among the answers. The language model is a Llama with fresh
weights.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from tastemaker.data.contexts import Int64s
from tastemaker.embed.film_batches import FilmStep, FilmSteps
from tastemaker.embed.frame_encoder import GRID, KEPT
from tastemaker.embed.video_cost import VideoCost
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.models.library import blank_model
from tastemaker.worlds.clips import Asked, answers

PADDING = "."
"""What stands before a question that is shorter than others."""


@dataclass(frozen=True)
class VideoModelConfig:
    """One configuration: a width of the language model, frames, and tokens a frame."""

    width: int = 64
    layers: int = 2
    frames: int = 4
    tokens: int = 4

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            BadInput: Naming the size.
        """
        side = int(np.sqrt(self.tokens))
        if side * side != self.tokens or not side or KEPT % side:
            fix = f"Give the square of a number that divides {KEPT}."
            raise BadInput(f"{self.tokens} tokens a frame are no grid.", "tokens", fix)
        if self.width < 16 or self.width % 16 or self.layers < 1 or self.frames < 1:
            what = f"width {self.width}, {self.layers} layers, {self.frames} frames make no model."
            raise BadInput(what, "video model", "Give a width that 16 divides, and 1 or more.")


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """Words of questions, and answers, by number."""

    words: tuple[str, ...]
    answers: tuple[str, ...]
    longest: int
    """words of a question"""

    @staticmethod
    def of(asked: Sequence[Asked], names: Sequence[str]) -> Vocabulary:
        """Every word that a question about these kinds may have."""
        split = [_split(one.text) for one in asked]
        known = sorted({word for words in split for word in words} | set(names))
        return Vocabulary((PADDING, *known), answers(names), max(map(len, split)))

    def questions(self, asked: Sequence[Asked]) -> Tensor:
        """(N, L) numbers of the words, padded in front."""
        place = {word: number for number, word in enumerate(self.words)}
        rows = np.zeros((len(asked), self.longest), np.int64)
        for row, one in zip(rows, asked, strict=True):
            numbers = [place[word] for word in _split(one.text)]
            row[self.longest - len(numbers) :] = numbers
        return torch.from_numpy(rows)

    def labels(self, asked: Sequence[Asked]) -> Tensor:
        """(N,) numbers of the right answers."""
        return torch.tensor([self.answers.index(one.answer) for one in asked])


def _split(text: str) -> list[str]:
    return re.findall(r"\S+", text)


class VideoModel(nn.Module):
    """Features and a question → logits of the answers; a seam `Trainable` but for `batches`."""

    def __init__(self, config: VideoModelConfig, features: int, vocabulary: Vocabulary) -> None:
        """Draw the weights from torch's generator.

        Args:
            config: Its sizes.
            features: D of the frame encoder.
            vocabulary: Words and answers.
        """
        super().__init__()
        self.config = config
        described = description(config, len(vocabulary.words))
        self.language = blank_model(described, Path("video model"), 2**16)
        self.project = nn.Sequential(nn.LayerNorm(features), nn.Linear(features, config.width))
        self.cell = nn.Parameter(0.02 * torch.randn(config.tokens, config.width))
        self.answer = nn.Linear(config.width, len(vocabulary.answers))

    @property
    def parameters_read(self) -> int:
        """x_N: parameters that read tokens, projector and head among them."""
        return sum(one.numel() for one in self.parameters())

    def logits(self, features: Tensor, words: Tensor) -> Tensor:
        """(B, T, V, D) features and (B, L) words → (B, A)."""
        seen = (self.project(features) + self.cell).flatten(1, 2)
        said = self.language.get_input_embeddings()(words)
        inputs = torch.cat([seen, said], dim=1)
        states = self.language(inputs_embeds=inputs, use_cache=False).last_hidden_state
        logits: Tensor = self.answer(states[:, -1])
        return logits

    def forward(self, step: FilmStep) -> Tensor:
        """The loss, as training asks for it."""
        return self.loss(step)

    def loss(self, step: FilmStep) -> Tensor:
        """Cross entropy: sum over a part of a step / its `target_count`."""
        logits = self.logits(step.inputs, step.words)
        return functional.cross_entropy(logits, step.labels, reduction="sum") / step.target_count


def description(config: VideoModelConfig, words: int) -> JsonObject:
    """The language model as a config of transformers."""
    return {
        "model_type": "llama",
        "hidden_size": config.width,
        "intermediate_size": 2 * config.width,
        "num_hidden_layers": config.layers,
        "num_attention_heads": config.width // 16,
        "vocab_size": words,
        "max_position_embeddings": 1024,
        "tie_word_embeddings": True,
        "pad_token_id": None,
    }


def taken(features: Tensor, frames: int, tokens: int) -> Tensor:
    """(N, F, 4, 4, D) kept features → (N, T, V, D): T frames, each averaged to V cells."""
    count, film, side = features.shape[0], features.shape[1], int(np.sqrt(tokens))
    places = ((np.arange(frames) + 0.5) * film / frames).astype(np.int64)
    chosen = features[:, torch.from_numpy(places)]
    step = KEPT // side
    cells = chosen.reshape(count, frames, side, step, side, step, -1).float().mean((3, 5))
    return cells.reshape(count, frames, tokens, -1)


def steps_of(
    asked: Sequence[Asked], pooled: Tensor, vocabulary: Vocabulary, batch: int, seed: int
) -> FilmSteps:
    """Questions about clips of which (N, T, V, D) features are there, as `fit` reads them."""
    clip = np.array([one.clip for one in asked], np.int64)

    def inputs(rows: Int64s) -> Tensor:
        return pooled[torch.from_numpy(clip[rows])]

    return FilmSteps(inputs, vocabulary.questions(asked), vocabulary.labels(asked), batch, seed)


@torch.no_grad()
def right(model: VideoModel, steps: FilmSteps) -> Tensor:
    """(N,) whether each question is answered right."""
    model.eval()
    given = [model.logits(s.inputs, s.words).argmax(1) == s.labels for s in steps.in_order()]
    return torch.cat(given)


def cost_of(flops: float) -> VideoCost:
    """The cost of a model whose frame encoder takes so many FLOPs a frame.

    The encoder stands there as parameters that each cell of its grid is multiplied with.
    """
    return VideoCost(flops / (2 * GRID**2), GRID**2)
