"""Small networks that turn a picture into a few vectors, as towers of a Llava of transformers.

A tower gives (B, N, D) states, whose rows are read from the top left: with strategy "full" and the
last layer, `LlavaForConditionalGeneration` takes them as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from tastemaker.models.extras import extra
from tastemaker.models.library import efficientnet

with extra("llm"):
    from transformers import PreTrainedConfig, PreTrainedModel
    from transformers.modeling_outputs import BaseModelOutputWithPooling


class ConvTowerConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """Shape of a `ConvTower`."""

    model_type = "tastemaker_conv_tower"

    image_size: int = 64
    """S, pixels of a side"""
    hidden_size: int = 128
    """D"""
    patch_size: int = 16
    """pixels of a side that one vector stands for; always 16"""
    initializer_range: float = 0.02


class ConvTower(PreTrainedModel):  # type: ignore[no-untyped-call]
    """Four strided convolutions: S × S pixels to (S/16)² vectors."""

    config: ConvTowerConfig
    config_class = ConvTowerConfig
    main_input_name = "pixel_values"
    input_modalities = ["image"]

    def __init__(self, config: ConvTowerConfig) -> None:
        super().__init__(config)
        dim = config.hidden_size
        widths = [3, max(dim // 4, 8), max(dim // 2, 8), dim, dim]
        layers: list[nn.Module] = []
        for before, after in zip(widths, widths[1:], strict=False):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(1, after)]
            layers += [nn.GELU()]
        self.layers = nn.Sequential(*layers)
        self.places = nn.Parameter(torch.zeros((config.image_size // 16) ** 2, dim))
        ready: Any = self
        ready.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.GroupNorm):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
        elif module is self:
            nn.init.normal_(self.places, std=self.config.initializer_range)

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:
        """(B, 3, S, S) pixels to (B, (S/16)², D) states."""
        maps: Tensor = self.layers(pixel_values.to(self.places.dtype))
        return states_of(maps.flatten(2).transpose(1, 2) + self.places)


class EfficientNetTowerConfig(PreTrainedConfig):  # type: ignore[no-untyped-call]
    """Shape of an `EfficientNetTower`."""

    model_type = "tastemaker_efficientnet_tower"

    image_size: int = 224
    """S, pixels of a side"""
    hidden_size: int = 1280
    """D; always 1280"""
    patch_size: int = 32
    """pixels of a side that one vector stands for; always 32"""


class EfficientNetTower(PreTrainedModel):  # type: ignore[no-untyped-call]
    """EfficientNet-Lite0 before it pools: S × S pixels to (S/32)² vectors of 1,280 values.

    Its batch norms keep what they were trained to: no picture's states depend on another's, and
    learning moves their weights alone.
    """

    config: EfficientNetTowerConfig
    config_class = EfficientNetTowerConfig
    main_input_name = "pixel_values"
    input_modalities = ["image"]

    def __init__(self, config: EfficientNetTowerConfig) -> None:
        super().__init__(config)
        self.network: Any = efficientnet()
        self.network._fc = nn.Identity()
        ready: Any = self
        ready.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        """Nothing: its weights come from its package, or from a file."""

    def train(self, mode: bool = True) -> EfficientNetTower:
        """Learn or not; what batch norms know stays, and no layer is left out by chance."""
        super().train(mode)
        self.network.eval()
        return self

    def forward(self, pixel_values: Tensor, **_: Any) -> BaseModelOutputWithPooling:
        """(B, 3, S, S) pixels to (B, (S/32)², 1280) states."""
        maps: Tensor = self.network.extract_features(pixel_values.to(self.dtype))
        return states_of(maps.flatten(2).transpose(1, 2))


def states_of(states: Tensor) -> BaseModelOutputWithPooling:
    """What Llava reads of a tower: its last layer is its only one."""
    only: Any = (states,)
    return BaseModelOutputWithPooling(last_hidden_state=states, hidden_states=only)
