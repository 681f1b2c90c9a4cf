"""What a model of pictures and texts is trained by."""

from __future__ import annotations

from dataclasses import dataclass, field

from tastemaker.data.item_pictures import Wanted
from tastemaker.embed.cafe import CAFeConfig
from tastemaker.errors import BadInput
from tastemaker.models.tiny_vlm import TinyVision
from tastemaker.train.config import FitConfig

CAPTION_PROMPT = "What is this?"
"""What is asked of a picture where its caption is learned."""
SELECTING = ("recall@1", "likelihood", "joint")
"""What weights can be chosen by on validation; more is better of each."""


@dataclass(frozen=True)
class Shares:
    """Shares of the different pictures that are kept from training."""

    validation: float = 0.1
    test: float = 0.1

    def __post_init__(self) -> None:
        """Refuse what is no share."""
        for name, share in vars(self).items():
            if not 0 < share < 1:
                fix = "Give a share above 0 and below 1, such as 0.1."
                raise BadInput(f"{name} = {share} is no share.", f"--{name}", fix)


@dataclass(frozen=True)
class EmbedConfig:
    """Everything that decides what a model learns, beside the catalogue."""

    model: str | TinyVision = field(default_factory=TinyVision)
    """name or folder of a vision-language model, or the shape of a fresh one"""
    wanted: Wanted = field(default_factory=Wanted)
    shares: Shares = field(default_factory=Shares)
    cafe: CAFeConfig = field(default_factory=lambda: CAFeConfig(vision_lr=1.0))
    """its picture tower learns like all else, since a fresh model's is fresh"""
    fit: FitConfig = field(
        default_factory=lambda: FitConfig(
            epochs=30, lr=1e-3, batch=16, warmup=50, patience=8, metric="joint"
        )
    )
    caption_prompt: str = CAPTION_PROMPT
    written: int = 200
    """most captions that are written to be compared with the true ones"""

    def __post_init__(self) -> None:
        """Refuse what nothing is learned or written by."""
        if self.written < 0:
            raise BadInput(f"written = {self.written}.", "--written", "Give 0 or more.")
        if self.fit.batch < 2 and self.cafe.alpha_con:
            what, fix = "A single pair is told from no other.", "Give 2 or more; 16 is usual."
            raise BadInput(what, "--batch", fix)

    @property
    def seed(self) -> int:
        """Of the parts, the weights and the order of pairs."""
        return self.fit.seed


def selecting(config: CAFeConfig) -> str:
    """What weights are best chosen by: what is trained, all of it."""
    if config.alpha_con and config.alpha_lm:
        return "joint"
    return "recall@1" if config.alpha_con else "likelihood"
