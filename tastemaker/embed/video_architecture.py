"""The exact cost of looking at a video, counted from the shapes of models.

Every matrix product of a forward pass: weights once for each token, queries with keys and
attention with values once for each pair of tokens in each layer, in full, as a causal model without
a sparse kernel computes them too. The shapes come from configs as transformers writes them; a
model is laid out on the meta device, so nothing is read or drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from tastemaker.embed.video_forms import Floats
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject

if TYPE_CHECKING:
    from transformers import PreTrainedModel

_POOLED = ("head", "pooler")
"""Parts of a vision tower that pool its tokens into one, which no language model reads."""

_UNCOUNTED = 0.2
"""Part of the products that weights of an unknown kind may be, such as places of patches."""


@dataclass(frozen=True)
class Stack:
    """Layers that every token of a sequence passes."""

    parameters: float
    """of all kinds: what the model is called by"""
    products: float
    """weights that each token is multiplied with"""
    layers: int
    width: int
    """values of a query, all heads together"""
    once: float = 0.0
    """weights that one token is multiplied with: the head of a language model, after the last"""

    def flops(self, tokens: Floats | float) -> Floats:
        """FLOPs of one forward pass over sequences of so many tokens."""
        read = np.asarray(tokens, np.float64)
        pairs = 4 * self.layers * self.width * read**2
        spent: Floats = 2 * self.products * read + pairs + 2 * self.once
        return spent


@dataclass(frozen=True)
class Architecture:
    """A vision tower, a projector and the language models that may stand behind them."""

    tower: Stack
    patches: int
    """tokens of a frame inside the tower"""
    projector: float
    """weights that each patch is multiplied with"""
    language: tuple[Stack, ...]
    """smallest first; x_N of a configuration is the `parameters` of one of them"""
    prompt: int = 0
    """tokens of the question"""

    def vision(self, x: Floats) -> Floats:
        """(…, 3) configurations → FLOPs of tower and projector."""
        frame = self.tower.flops(self.patches) + 2 * self.projector * self.patches
        spent: Floats = x[..., 1] * frame
        return spent

    def flops(self, x: Floats) -> Floats:
        """(…, 3) configurations → FLOPs in all.

        Raises:
            BadInput: If there is no language model of that size.
        """
        tokens, spent = x[..., 1] * x[..., 2] + self.prompt, self.vision(x)
        known = np.zeros(spent.shape, bool)
        for stack in self.language:
            own = np.isclose(x[..., 0], stack.parameters, rtol=1e-6)
            known |= own
            spent = spent + np.where(own, stack.flops(tokens), 0)
        if not known.all():
            sizes = ", ".join(f"{stack.parameters:,.0f}" for stack in self.language)
            what = f"No language model here has {x[~known][0, 0]:,.0f} parameters."
            raise BadInput(what, "configurations", f"There are those of {sizes}.")
        return spent


def stack_of(description: Mapping[str, object], where: Path) -> Stack:
    """Layers of a model of transformers' own kinds, laid out without memory.

    Args:
        description: Contents of its `config.json`.
        where: The file, for messages.

    Raises:
        BadInput: If transformers does not know the kind, it cannot be built, it is no one stack of
            layers, or its products cannot be counted.
    """
    import torch

    from tastemaker.models.library import blank_model

    values: JsonObject = dict(description)
    with torch.device("meta"):
        model = blank_model(values, where, 2**16)
    seeing = "patch_size" in values
    products, shape = _products(model, where), model.config
    try:
        width, heads = int(shape.hidden_size), int(shape.num_attention_heads)
    except AttributeError:
        what = f"A config of type {values.get('model_type')!r} is no one stack of layers."
        fix = "Give its text_config for the language model, its vision_config for the tower."
        raise BadInput(what, str(where), fix) from None
    inner = int(shape.to_dict().get("head_dim") or width // heads) * heads
    once = 0.0 if seeing else float(shape.vocab_size) * width
    total = sum(weight.numel() for name, weight in model.named_parameters() if not _pools(name))
    tied = seeing or bool(shape.tie_word_embeddings)
    parameters = total + (0.0 if tied else once)
    return Stack(parameters, float(products), int(shape.num_hidden_layers), inner, once)


def _products(model: PreTrainedModel, where: Path) -> int:
    """Weights that each token is multiplied with.

    Raises:
        BadInput: If many others are neither these nor a table of embeddings, as where each token
            passes but some of several experts.
    """
    from torch import nn

    from tastemaker.models.extras import transformers

    kinds = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d, transformers().pytorch_utils.Conv1D)
    products, others = 0, 0
    for name, part in model.named_modules():
        for weight in () if _pools(name) else part.parameters(recurse=False):
            if isinstance(part, kinds):
                products += weight.numel() * (weight.ndim > 1)
            elif not isinstance(part, nn.Embedding):
                others += weight.numel() * (weight.ndim > 1)
    if others > _UNCOUNTED * products:
        what = f"{others:,} weights are multiplied in a way that is not counted here."
        raise BadInput(what, str(where), "Count by hand, and give VideoCost the counts.")
    return products


def _pools(name: str) -> bool:
    return any(part in _POOLED for part in name.split("."))


def patches_of(description: Mapping[str, object]) -> int:
    """Tokens that a vision tower makes of a frame, a class token among them.

    Raises:
        BadInput: If its config names no image and patch size.
    """
    sizes = (description.get("image_size"), description.get("patch_size"))
    image, patch = (size if isinstance(size, int) else 0 for size in sizes)
    if image <= 0 or patch <= 0:
        what = f"image_size {sizes[0]!r} and patch_size {sizes[1]!r} cut no frame into patches."
        raise BadInput(what, "config of the vision tower", "Give both as whole numbers.")
    classed = "clip" in str(description.get("model_type"))
    return (image // patch) ** 2 + classed


def architecture(
    tower: Mapping[str, object],
    language: Sequence[Mapping[str, object]],
    where: Path,
    prompt: int = 0,
) -> Architecture:
    """The cost of a vision tower and language models, with a projector of two layers.

    Args:
        tower: Contents of the vision tower's `config.json`.
        language: Those of each language model.
        where: Where they come from, for messages.
        prompt: Tokens of the question.

    Raises:
        BadInput: If there is no language model, or what `stack_of` and `patches_of` raise.
    """
    if not language:
        raise BadInput("There is no language model.", str(where), "Give the config of one or more.")
    models = sorted((stack_of(one, where) for one in language), key=lambda one: one.parameters)
    seen = stack_of(tower, where)
    narrow, wide = seen.width, models[-1].width
    return Architecture(
        seen, patches_of(tower), float(narrow * wide + wide * wide), tuple(models), prompt
    )
