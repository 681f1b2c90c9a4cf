"""Options of HLLM, and the two language models that they name."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Self

import torch
from torch import Tensor

from tastemaker.data.catalog import Catalog
from tastemaker.data.item_texts import item_texts
from tastemaker.models.item_llm import ItemLLM
from tastemaker.models.packaged import within_run
from tastemaker.models.user_llm import fresh_user_model, kept_user_model, user_model
from tastemaker.nn.next_item_shape import NextItemConfig
from tastemaker.weights import checked_tensors, expected_of, stored_tensors


@dataclass(frozen=True)
class HLLMConfig(NextItemConfig):
    """Shape and loss of both models."""

    item_model: str = "random"
    """language model of the items: `random` (two fresh layers), a packaged name, or a path."""
    user_model: str = "random"
    """causal model of the users: `random` (`layers` fresh layers of width `dim`), or as above."""
    trained_layers: int = -1
    """top layers of the item model that train; −1: all; the others are frozen and cached."""
    pooling: Literal["mean", "item"] = "mean"
    """vector of a text: mean over its tokens, or the output at a learned [ITEM] token."""
    max_tokens: int = 32
    """tokens read of a text."""
    negatives: int = 128
    """negatives shared by a batch, for the sampled losses; each is a text to encode."""
    fresh: int = 256
    """most items encoded with a gradient in a step."""
    checkpointing: bool = False
    """recompute the item model's activations in the backward pass: less memory, more time."""
    item_lr: float = 0.1
    """the item model's part of the learning rate."""
    thaw: int = 0
    """steps in which the user model alone learns, from vectors made once: many times as fast."""
    missing_text: str = ""
    """text that stands for an item without one; empty: such items are an error."""
    pictures: str = "none"
    """what makes vectors of the catalogue's pictures, beside those of texts: `none`, a run of
    `tastemaker embed train`, a packaged encoder of pictures, or a folder; `auto`: the packaged
    efficientnet-lite0 where the catalogue names pictures."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        super().__post_init__()
        for name in ("max_tokens", "fresh"):
            self.at_least_one(name)

    def suited(self, num_items: int, times: bool = True) -> Self:
        """Sampled: negatives are items with events, so that none without is pushed down."""
        config = super().suited(num_items, times)
        return replace(config, loss="sampled") if self.loss == "auto" else config

    def foreign(self) -> dict[str, str]:
        """Option → the language model on this machine that it names."""
        named = {"item_model": self.item_model, "user_model": self.user_model}
        named = {option: name for option, name in named.items() if name != "random"}
        own = self.pictures in ("auto", "none")
        return named if own else named | {"pictures": within_run(self.pictures)}


@dataclass(frozen=True)
class Kept:
    """What a run keeps of the models it was trained with, enough to score with."""

    width: int
    """H, the length of a feature"""
    tensors: int
    """tensors in the file of weights"""
    run: Path
    """holds the shape of a user model that was a foreign one"""


def item_model_of(config: HLLMConfig) -> ItemLLM:
    """The item model that the options name."""
    return ItemLLM(
        config.item_model,
        trained_layers=config.trained_layers,
        max_tokens=config.max_tokens,
        pooling=config.pooling,
        dim=config.dim,
        checkpointing=config.checkpointing,
    )


def looks_of(config: HLLMConfig, catalog: Catalog) -> Tensor:
    """(I, P) vectors of the items' pictures, their entries about as large as those of a text.

    Raises:
        BadData: With every picture that cannot be read.
        BadInput: If an encoder is named and no item has a picture, or it is not on this machine.
    """
    if config.pictures == "none":
        return torch.zeros(len(catalog.frame), 0)
    from tastemaker.models.picture_content import picture_vectors  # opens a model of pictures

    vectors = torch.from_numpy(picture_vectors(config.pictures, catalog)[0])
    scaled: Tensor = vectors * vectors.shape[1] ** 0.5
    return scaled


def texts_of(config: HLLMConfig, catalog: Catalog) -> list[str]:
    """A text an item; empty where a picture alone says what it is.

    Raises:
        BadInput: If items have neither, and no text stands for them.
    """
    seen = () if config.pictures == "none" else [path is not None for path in catalog.pictures()]
    return item_texts(catalog, config.missing_text, seen)


def user_model_of(config: HLLMConfig, kept: Kept | None) -> Any:
    """The user model that the options name; its shape is the kept one where a run keeps it."""
    if config.user_model == "random":
        shape = (config.dim, config.layers, config.heads, config.history, config.dropout)
        return fresh_user_model(*shape)
    if kept is None:
        return user_model(config.user_model, config.history)
    return kept_user_model(kept.run, kept.tensors)


def item_weights(item: ItemLLM, path: Path) -> dict[str, Tensor]:
    """What a file of weights holds of the item model, by the names of the whole.

    Raises:
        ArtefactError: If it holds another item model, or is damaged.
    """
    own = {f"item.{name}": stored for name, stored in expected_of(item).items()}
    rest = {name: one for name, one in stored_tensors(path).items() if not name.startswith("item.")}
    return {name: one for name, one in checked_tensors(path, own | rest).items() if name in own}
