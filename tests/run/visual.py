"""The smallest training of visual tool use there is."""

from typing import Any

import pytest

pytest.importorskip("trl", reason="needs tastemaker[rl]")
pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")

from tastemaker.models.tiny_tool_vlm import TinyTool
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.vtool import VToolConfig
from tastemaker.reinforce.vtool_warm import WarmConfig
from tastemaker.run.vtool import VisualConfig
from tastemaker.run.vtool_questions import QuestionConfig

LEARNING = LearningConfig(
    n=2, prompts_per_step=1, steps=2, max_tokens=4, micro=2, save_every=1, lr=1e-2, beta=0.0
)
QUESTIONS = QuestionConfig(train=3, held_out=2, kinds=("v_bar",), templates=("max",), names=(2, 3))
SHAPE = TinyTool(side=32, dim=32, layers=1, heads=2, vocabulary=500)


def config(**given: Any) -> VisualConfig:
    vtool = VToolConfig(sandbox="grammar", seconds=20, learning=LEARNING)
    return VisualConfig(
        **{"lora": 0, "vtool": vtool, "questions": QUESTIONS, "tiny": SHAPE,
           "warm": WarmConfig(steps=1, rows=2)} | given
    )  # fmt: skip
