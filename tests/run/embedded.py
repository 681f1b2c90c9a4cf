"""A catalogue so plain, and a model so small, that it is learned in seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from tastemaker.embed.cafe import CAFeConfig
from tastemaker.models.tiny_vlm import TinyVision
from tastemaker.run.embed_config import EmbedConfig, Shares
from tastemaker.train.config import FitConfig
from tests.data.pictured import COLOURS, save_items, save_picture

SHAPE = TinyVision(side=16, vision_dim=32, dim=32, layers=1, heads=2, vocabulary=300, context=64)
WORDS = ["--tiny.side", "16", "--tiny.vision-dim", "32", "--tiny.dim", "32", "--tiny.layers", "1",
         "--tiny.heads", "2", "--tiny.vocabulary", "300", "--tiny.context", "64",
         "--validation", "0.2", "--test", "0.2", "--lr", "0.005", "--warmup", "5",
         "--written", "0"]  # fmt: skip
"""The same on the command line."""


def squares(folder: Path, many: int = 30) -> Path:
    """A catalogue of coloured squares, each of another shade, so that no two files are equal."""
    from PIL import Image

    names = [list(COLOURS)[n % 3] for n in range(many)]
    for n, name in enumerate(names):
        path = folder / f"{n}.png"
        save_picture(path, name, 0, 16)
        with Image.open(path) as picture:
            picture.putpixel((15, 15), (n, n, n))
            picture.save(path)
    images, titles = [f"{n}.png" for n in range(many)], [f"{name} square" for name in names]
    return save_items(folder, {"image": images, "title": titles})


def small_config(epochs: int = 2, cafe: CAFeConfig | None = None, **fit: Any) -> EmbedConfig:
    options = {"epochs": epochs, "batch": 8, "lr": 5e-3, "warmup": 5, "metric": "joint"} | fit
    cafe = cafe or CAFeConfig(vision_lr=1.0)
    fitting = FitConfig(**options)
    return EmbedConfig(SHAPE, shares=Shares(0.2, 0.2), cafe=cafe, fit=fitting, written=0)


def of_model(model: str, **fit: Any) -> EmbedConfig:
    return replace(small_config(**fit), model=model, written=9)
