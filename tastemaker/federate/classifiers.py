"""Small classifiers that clients train: linear, layers, or convolutions over an image.

All of a model is averaged: there are no buffers, and no layer that is otherwise in training.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn
from torch.nn import functional

from tastemaker.errors import BadInput
from tastemaker.federate.checks import within
from tastemaker.federate.examples import ExampleStep
from tastemaker.seams import Outputs

_WIDEST = 2**16
"""Units of a layer above which two of them no longer fit into memory."""


@dataclass(frozen=True)
class Logistic:
    """Multinomial logistic regression."""


@dataclass(frozen=True)
class Mlp:
    """Fully connected layers with ReLU between them."""

    hidden: tuple[int, ...] = (64, 64)
    """units of each layer"""

    def __post_init__(self) -> None:
        """Refuse a layer through which nothing passes, or that no memory holds."""
        for units in self.hidden:
            within("hidden", units, 1, _WIDEST)


@dataclass(frozen=True)
class Cnn:
    """Two convolutions of 3×3, each with ReLU and pooling of 2×2, and a layer above them.

    Pooled to the same size whatever the image's, so it has fewer than 100,000 parameters.
    """

    channels: tuple[int, int] = (16, 32)
    """of the convolutions"""
    pooled: int = 4
    """height and width that are pooled to at the end"""
    hidden: int = 128
    """units of the layer"""


Shape = Logistic | Mlp | Cnn


class Classifier(nn.Module):
    """Inputs → logits of K classes; a seam `Federable`."""

    private: frozenset[str] = frozenset()
    by_row: frozenset[str] = frozenset()

    def __init__(self, shape: Shape, inputs: Sequence[int], classes: int) -> None:
        """Draw the weights from torch's generator.

        Args:
            shape: Which kind, and its sizes.
            inputs: Sizes of one input: any, and for convolutions (height, width) or (height, width,
                channels).
            classes: How many, K.

        Raises:
            BadInput: If there are convolutions and an input is no image.
        """
        super().__init__()
        self.classes = classes
        if isinstance(shape, Cnn):
            self.body, width = _convolutions(shape, inputs), shape.hidden
        else:
            sizes = (math.prod(inputs), *(shape.hidden if isinstance(shape, Mlp) else ()))
            layers: list[nn.Module] = [nn.Flatten()]
            for wide, narrow in zip(sizes, sizes[1:], strict=False):
                layers += [nn.Linear(wide, narrow), nn.ReLU()]
            self.body, width = nn.Sequential(*layers), sizes[-1]
        self.head = nn.Linear(width, classes)

    def features(self, inputs: Tensor) -> Tensor:
        """(B, …) → (B, H) what the logits are computed from."""
        hidden: Tensor = self.body(inputs)
        return hidden

    def outputs(self, part: ExampleStep) -> Outputs:
        """Logits, labels and features of a part of a step."""
        features = self.features(part.inputs)
        return Outputs(self.head(features), part.labels, features)

    def loss(self, part: ExampleStep) -> Tensor:
        """Cross entropy: sum over a part of a step / its `target_count`."""
        logits = self.head(self.features(part.inputs))
        return functional.cross_entropy(logits, part.labels, reduction="sum") / part.target_count

    def forward(self, part: ExampleStep) -> Tensor:
        """The loss, as training asks for it."""
        return self.loss(part)


class _Planes(nn.Module):
    """Images with channels last, or none → channels first."""

    def forward(self, images: Tensor) -> Tensor:
        """(B, H, W) or (B, H, W, C) → (B, C, H, W)."""
        return images[:, None] if images.dim() == 3 else images.permute(0, 3, 1, 2)


def _convolutions(shape: Cnn, inputs: Sequence[int]) -> nn.Sequential:
    """All below the last layer."""
    if len(inputs) not in (2, 3):
        what = f"An input of sizes {tuple(inputs)} is no image, as convolutions need."
        fix = "Give (height, width) or (height, width, channels), or take another kind of model."
        raise BadInput(what, "model", fix)
    colours = inputs[2] if len(inputs) == 3 else 1
    first, second = shape.channels
    return nn.Sequential(
        _Planes(),
        nn.Conv2d(colours, first, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.Conv2d(first, second, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.AdaptiveAvgPool2d(shape.pooled),
        nn.Flatten(),
        nn.Linear(second * shape.pooled**2, shape.hidden),
        nn.ReLU(),
    )
