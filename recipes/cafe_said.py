"""What models say of scenes in the recipe on CAFe: vectors, captions, answers, and their losses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from cafe_world import CAPTION, SPLITS, captions, picture

from tastemaker.embed.cafe import CAFe
from tastemaker.models.vlm import VisionModel
from tastemaker.models.vlm_embedding import Embedding, picture_asked, text_asked
from tastemaker.models.vlm_rows import Asked
from tastemaker.worlds.scene_words import Question, questions
from tastemaker.worlds.scenes import Scenes

EMBEDDING = Embedding()
Said = Mapping[str, np.ndarray]
"""What a model said of scenes: vectors, captions, answers and losses, by name."""


def asked(world: Scenes, told: int) -> dict[str, list[Question]]:
    """Split → questions about the first scenes."""
    some = Scenes(world.images[:told], world.things[:told], world.sprites)
    return {split: questions(some, split, seed=1) for split in SPLITS}


@torch.no_grad()
def say(vision: VisionModel, world: Scenes, told: int) -> dict[str, np.ndarray]:
    """Vectors of all scenes and captions; captions, losses and answers of the first `told`."""
    model, said = CAFe(vision).eval(), captions(world)
    pictures = [picture(world, number) for number in range(len(world))]
    sides = {
        "picture": [picture_asked(one, EMBEDDING) for one in pictures],
        "text": [text_asked(one, EMBEDDING) for one in said],
    }
    found = {}
    for side, turns in sides.items():
        parts = [turns[start : start + 64] for start in range(0, len(turns), 64)]
        found[side] = torch.cat([model.vectors(vision.rows(part), side) for part in parts]).numpy()
    found["captions"] = np.array(vision.write([Asked(CAPTION, one) for one in pictures[:told]], 48))
    right = [Asked(CAPTION, pictures[one], said[one]) for one in range(told)]
    losses = [vision.answer_loss(vision.rows([one])) for one in right]
    found["losses"] = np.array([(float(total), int(many)) for total, many in losses])
    every = every_question(asked(world, told))
    answers = vision.write([Asked(text, pictures[scene]) for scene, text in every], 4)
    found["answers"] = np.array(answers)
    return found


def every_question(splits: Mapping[str, Sequence[Question]]) -> list[tuple[int, str]]:
    """Each scene and question once, in order."""
    return sorted({(one.scene, one.text) for many in splits.values() for one in many})
