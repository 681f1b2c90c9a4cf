"""Items of a catalogue as pairs that a model learns from: pictures read when asked for, texts cut.

A text that is longer than the model reads is cut at the last word that fits, and counted: a long
description says most of what it is about at its beginning. A picture that takes more than the model
reads is refused, since there is nothing to cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import overload

import numpy as np

from tastemaker.data.item_pictures import ItemPictures
from tastemaker.embed.pair_batches import Pair
from tastemaker.errors import BadInput
from tastemaker.models.pictures import square
from tastemaker.models.vlm import Asked, VisionModel
from tastemaker.models.vlm_embedding import Embedding, picture_asked, text_asked

_SPARE = 4
"""Tokens that may come of a text's ends where it meets what stands around it."""


@dataclass(frozen=True, eq=False)
class ItemPairs(Sequence[Pair]):
    """A pair an item; its picture is read from its file each time, so that any number fit."""

    items: ItemPictures
    prompt: str
    """what is asked of a picture where its caption is learned"""
    side: int
    """pixels of the square that its picture is scaled to"""

    def __len__(self) -> int:
        return len(self.items)

    @overload
    def __getitem__(self, row: int) -> Pair: ...
    @overload
    def __getitem__(self, row: slice) -> Sequence[Pair]: ...
    def __getitem__(self, row: int | slice) -> Pair | Sequence[Pair]:
        """The pair of an item."""
        if isinstance(row, slice):
            return replace(self, items=self.items.rows(range(len(self))[row]))
        items = self.items
        turns = ((self.prompt, items.captions[row]),)
        picture = square(items.paths[row], self.side, row)
        return Pair(picture, items.texts[row], turns, content=items.hashes[row])


@dataclass(frozen=True)
class Cut:
    """Texts that were longer than a model reads."""

    texts: int = 0
    captions: int = 0


def fitted_texts(
    items: ItemPictures, vision: VisionModel, embedding: Embedding
) -> tuple[ItemPictures, int]:
    """Items whose every text fits where its vector is made, and how many were cut.

    Raises:
        BadInput: If the prompt beside it leaves no room, naming the option.
    """
    beside = _length(vision, text_asked("", embedding))
    texts, cut = _cut(items.texts, vision, beside, lambda text: text_asked(text, embedding))
    return replace(items, texts=texts), cut


def fitted_captions(
    items: ItemPictures, vision: VisionModel, embedding: Embedding, prompt: str
) -> tuple[ItemPictures, int]:
    """Items whose every caption fits behind its picture, and how many were cut.

    Args:
        items: With captions.
        vision: What reads them.
        embedding: What stands beside a picture where its vector is made.
        prompt: What stands beside a picture where its caption is learned.

    Raises:
        BadInput: If picture and prompt leave no room, naming the option.
    """
    blank = np.full((vision.picture_side, vision.picture_side, 3), 255, np.uint8)
    _length(vision, picture_asked(blank, embedding))
    beside = _length(vision, Asked(prompt, blank, "a"))
    captions, cut = _cut(items.captions, vision, beside, lambda text: Asked(prompt, blank, text))
    return replace(items, captions=captions), cut


def _length(vision: VisionModel, asked: Asked) -> int:
    """Tokens of a turn.

    Raises:
        BadInput: If it leaves no room for a text.
    """
    try:
        length = int(vision.rows([asked]).mask.sum())
    except BadInput as error:
        fix = "Give shorter prompts, a smaller --tiny.side, or a model that reads more."
        raise BadInput(error.what, "--tiny.context", fix) from None
    if length + _SPARE >= vision.most_tokens:
        what = (
            f"Prompts and picture take {length:,} of the {vision.most_tokens:,} tokens there are."
        )
        fix = "Give shorter prompts, a smaller --tiny.side, or a model that reads more."
        raise BadInput(what, "--tiny.context", fix)
    return length


def _cut(
    texts: Sequence[str], vision: VisionModel, beside: int, asked: Callable[[str], Asked]
) -> tuple[tuple[str, ...], int]:
    """The texts, those that are too long cut, and how many they were."""
    room = vision.most_tokens - beside - _SPARE
    kept, cut = list(texts), 0
    for row, text in enumerate(texts):
        read = vision.prompts.unmarked(text)
        if len(read.encode()) <= room or _fits(vision, asked(text)):  # a token has a byte or more
            continue
        left = room
        short = _shortened(text, left, vision)
        while left > 1 and short != read and not _fits(vision, asked(short)):
            left -= 1
            short = _shortened(text, left, vision)
        kept[row], cut = short, cut + (short != text)
    return tuple(kept), cut


def _shortened(text: str, room: int, vision: VisionModel) -> str:
    """As many whole words as so many tokens have, or as much of the first word."""
    made = vision.processor.tokenizer(
        text, add_special_tokens=False, return_offsets_mapping=True, return_attention_mask=False
    )
    offsets = made["offset_mapping"]
    if len(offsets) <= room:
        return text
    whole = text[: offsets[max(1, room) - 1][1]]
    words = whole if text[len(whole) : len(whole) + 1].isspace() else whole.rpartition(" ")[0]
    return words.rstrip() or whole


def _fits(vision: VisionModel, asked: Asked) -> bool:
    try:
        vision.rows([asked])
    except BadInput:
        return False
    return True
