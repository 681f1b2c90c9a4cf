"""Small language models that know a task half: what they are asked, and how they learn to write.

A transformer of two layers reads texts whose replies are often wrong, and so answers with a spread
of answers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tastemaker.models.extras import transformers
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.prompts import Prompt

_PIECE = r"[A-Za-z]+|[0-9]|[^A-Za-z0-9 ]"
"""Tokens: words whole, all else a character each; spaces are none."""
_END, _PAD, _UNKNOWN = "<end>", "<pad>", "<unk>"


@dataclass(frozen=True)
class Task:
    """What is asked, of whom nothing is asked twice, and how texts answer it."""

    texts: Sequence[Prompt]
    """to learn to write from"""
    learnt: Sequence[Prompt]
    """to reinforce by"""
    looked: Sequence[Prompt]
    """to choose by, and to watch a training by"""
    held_out: Sequence[Prompt]
    """to measure by, once"""
    says: Callable[[Prompt, np.random.Generator], str]
    """the reply of a text, often wrong"""


@dataclass(frozen=True)
class Small:
    """A small transformer, and how it learns to write."""

    dim: int = 64
    layers: int = 2
    steps: int = 4000
    batch: int = 128
    lr: float = 5e-3


def shortened(small: Small, learning: LearningConfig) -> tuple[Small, LearningConfig]:
    """What runs the same code in seconds."""
    return replace(small, steps=5), replace(learning, steps=2, n=8, prompts_per_step=2)


def pretrained(folder: Path, task: Task, small: Small, seed: int) -> Path:
    """A model that learned the replies of texts by cross-entropy, written once.

    Args:
        folder: Where it is written; if it is there already, nothing is done.
        task: Its texts and replies.
        small: Shape and training.
        seed: Of weights, texts and replies.
    """
    if folder.is_dir():
        return folder
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    asked = [prompt.messages[0]["content"] + "\n" for prompt in task.texts]
    tokenizer = _tokenizer([*asked, *(task.says(one, rng) for one in task.texts)])
    config = transformers().LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=small.dim, num_hidden_layers=small.layers,
        num_attention_heads=4, intermediate_size=3 * small.dim, max_position_embeddings=512,
        tie_word_embeddings=True, eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = transformers().LlamaForCausalLM(config)
    ids: list[list[int]] = tokenizer(asked)["input_ids"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=small.lr)
    for step in range(small.steps):
        rows = rng.integers(len(asked), size=small.batch)
        said = tokenizer([task.says(task.texts[row], rng) + _END for row in rows])["input_ids"]
        optimizer.param_groups[0]["lr"] = small.lr * min((step + 1) / 100, 1 - step / small.steps)
        tokens, labels = _padded([ids[row] for row in rows], said, tokenizer.pad_token_id)
        optimizer.zero_grad()
        model(input_ids=tokens, labels=labels).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    partial = folder.with_suffix(".partial")
    model.save_pretrained(partial)
    tokenizer.save_pretrained(partial)
    return partial.rename(folder)


def _tokenizer(texts: Sequence[str]) -> Any:
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers

    pieces = sorted({piece for text in texts for piece in re.findall(_PIECE, text)})
    numbers = {piece: number for number, piece in enumerate([_PAD, _END, _UNKNOWN, *pieces])}
    made: Any = Tokenizer(models.WordLevel(numbers, unk_token=_UNKNOWN))
    split = pre_tokenizers.Split
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [split(Regex(" +"), "removed"), split(Regex(_PIECE), "isolated")]
    )
    made.decoder = decoders.Fuse()
    return transformers().PreTrainedTokenizerFast(
        tokenizer_object=made, eos_token=_END, pad_token=_PAD, unk_token=_UNKNOWN
    )


def _padded(
    asked: Sequence[Sequence[int]], said: Sequence[Sequence[int]], pad: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(B, T) tokens and labels: the loss is of the reply alone."""
    pairs = [*zip(asked, said, strict=True)]
    longest = max(len(question) + len(reply) for question, reply in pairs)
    tokens = torch.full((len(pairs), longest), pad)
    labels = torch.full((len(pairs), longest), -100)
    for row, (question, reply) in enumerate(pairs):
        end = len(question) + len(reply)
        tokens[row, :end] = torch.tensor([*question, *reply])
        labels[row, len(question) : end] = torch.tensor(reply)
    return tokens, labels
