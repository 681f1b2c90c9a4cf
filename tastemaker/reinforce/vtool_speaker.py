"""Any vision-language model of this machine as what `rollouts` asks: several turns, several images.

A model whose chat template tells of tools is told of the one that runs code, and calls it; any
other writes a fenced block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tastemaker.files import JsonObject
from tastemaker.models.encode import within
from tastemaker.models.extras import extra
from tastemaker.models.vlm import VisionModel
from tastemaker.models.vlm_rows import Asked, Picture, Said
from tastemaker.models.vlm_writing import Drawn
from tastemaker.reinforce.vtool_environment import VisualCode
from tastemaker.reinforce.vtool_rollout import Conversation

if TYPE_CHECKING:
    from PIL.Image import Image

_TOGETHER = 16
"""Conversations that are answered together."""


@dataclass(frozen=True)
class Speech:
    """How a model speaks."""

    max_tokens: int = 512
    """of a turn"""
    temperature: float = 0.0
    """of the softmax that is drawn from; 0: the likeliest token is taken"""
    seed: int = 0
    """of what is drawn"""
    tools: bool = True
    """whether it is told of the tool, where its template can"""
    longest: int = 1024
    """pixels of a side of an image that it is shown; a larger one is scaled down"""


class VisionSpeaker:
    """Conversations → what the model writes next in each; it depends on no other.

    Args:
        vision: The model.
        speech: How it speaks.

    Raises:
        BadInput: If it cannot write so many tokens.
    """

    def __init__(self, vision: VisionModel, speech: Speech | None = None) -> None:
        self.vision, self.speech = vision, speech or Speech()
        within("max_tokens", self.speech.max_tokens, 1, vision.most_tokens)
        self.native = vision.prompts.tells_of(tool_schema())
        """whether its template tells of tools"""

    def __call__(self, talks: Sequence[Conversation]) -> list[str]:
        """What is written next.

        Raises:
            BadInput: If a conversation is longer than the model reads.
        """
        learning = self.vision.model.training
        self.vision.model.eval()
        try:
            return [
                text
                for start in range(0, len(talks), _TOGETHER)
                for text in self._said(talks[start : start + _TOGETHER])
            ]
        finally:
            self.vision.model.train(learning)

    def _said(self, talks: Sequence[Conversation]) -> list[str]:
        how = self.speech
        turns = [said_of(talk, how.longest) for talk in talks]
        tools = [tool_schema()] if self.native and how.tools else []
        prompts, pictures = self.vision.prompts.read_talks(turns, tools, how.max_tokens)
        drawn = [Asked("\n".join(one.text for one in talk), _last(talk)) for talk in turns]
        guide = Drawn(drawn, how.temperature, how.seed)
        return self.vision.continued(prompts, pictures, how.max_tokens, guide)


def tool_schema() -> JsonObject:
    """The tool that runs code, as templates of chats tell of it."""
    with extra("llm"):
        from transformers.utils.chat_template_utils import get_json_schema
    made: JsonObject = get_json_schema(VisualCode.run_visual_code)
    return made


def said_of(talk: Conversation, longest: int = 0) -> list[Said]:
    """A conversation as a model of this machine reads it.

    Args:
        talk: Messages with images.
        longest: Pixels of a side to which larger images are scaled; 0: none is.
    """
    return [
        Said(one.role, one.text, tuple(_picture(image, longest) for image in one.images))
        for one in talk
    ]


def _picture(image: Image, longest: int) -> Picture:
    whole: Any = image.convert("RGB")
    if longest and max(whole.size) > longest:
        whole.thumbnail((longest, longest))
    return np.asarray(whole)


def _last(talk: Sequence[Said]) -> Picture | None:
    shown = [picture for said in talk for picture in said.pictures]
    return shown[-1] if shown else None
