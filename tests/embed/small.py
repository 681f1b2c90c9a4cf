"""A model and pictures small enough to be trained many times."""

import numpy as np
import torch

from tastemaker.embed.cafe import CAFe, CAFeConfig
from tastemaker.embed.pair_batches import Pair, PairBatches
from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model
from tastemaker.worlds.scene_words import caption, question
from tastemaker.worlds.scenes import SceneOptions, scenes
from tastemaker.worlds.sprites import shapes

SHAPE = TinyVision(side=32, vision_dim=16, dim=32, layers=2, heads=2, vocabulary=400, context=96)
ASK = "What is shown?"


def some_pairs(many: int = 12, seed: int = 0) -> list[Pair]:
    """Scenes of shapes with their captions and a question."""
    drawn = scenes(shapes(4), SceneOptions(many, seed=seed))
    names = drawn.sprites.names
    pairs = []
    for image, things in zip(drawn.images, drawn.things, strict=True):
        coloured = np.repeat(image[..., None], 3, axis=2)
        text = caption(things, names)
        kind = things[0].kind
        pairs.append(Pair(coloured, text, ((ASK, text), (question(kind, names), "yes"))))
    return pairs


def some_model(config: CAFeConfig | None = None, seed: int = 0) -> CAFe:
    texts = [ASK, "yes no", *(pair.text for pair in some_pairs())]
    return CAFe(tiny_vision_model(SHAPE, texts, seed), config or CAFeConfig())


def batches(model: CAFe, pairs: list[Pair] | None = None, **options) -> PairBatches:
    some = some_pairs() if pairs is None else pairs
    return PairBatches(model.vision, model.config.embedding, some, **{"batch": 6, **options})


def gradients(model: CAFe, loss: torch.Tensor) -> dict[str, torch.Tensor]:
    model.zero_grad(set_to_none=True)
    loss.backward()
    named = model.named_parameters()
    return {name: one.grad.clone() for name, one in named if one.grad is not None}
