"""What a tower of pictures learns first in the recipe on new items: what each shows, and how large.

Else a tiny model would have to learn to see from captions alone, as in the recipe on scenes.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from cafe_tower import CellStep, CellTower

from tastemaker.models.tiny_vlm import TinyVision
from tastemaker.models.vlm import VisionModel


class ThingTower(CellTower):
    """The tower of a model with a linear reader of the one thing of a picture."""

    def __init__(self, vision: VisionModel, shape: TinyVision, kinds: int) -> None:
        super().__init__(vision, shape.vision_dim, kinds)
        self.read = torch.nn.Linear((shape.side // 16) ** 2 * shape.vision_dim, 1 + 2 * kinds)

    def loss(self, step: CellStep) -> torch.Tensor:
        """Mean cross-entropy over pictures."""
        states = self.tower(step.pictures, output_hidden_states=True).hidden_states[-1]
        return F.cross_entropy(self.read(states.flatten(1)), step.labels.sum(1))
