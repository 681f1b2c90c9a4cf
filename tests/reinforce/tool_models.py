"""A model of some thousand weights that is told of tools by its template, on disk."""

from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs tastemaker[rl]")
pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")
from tastemaker.models.tiny_tool_vlm import TinyTool, write_tiny_tool_model
from tastemaker.models.vlm import VisionModel, open_vision_model
from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.vtool_environment import VisualCode
from tastemaker.reinforce.vtool_prompts import native_prompt, tool_call
from tastemaker.reinforce.vtool_trainer import tool_template
from tests.reinforce.bench import BOXES, GOOD, PICTURE

KNOWN = {"boxes": box_fields(BOXES), "kind": "table", "source": "bench"}
QUESTION = PictureQuestion("How many?", (PICTURE,), "12", KNOWN)
RIGHT = "FINAL ANSWER: 12. TERMINATE"
SMALL = TinyTool(side=32, dim=32, layers=1, heads=2, vocabulary=500)


def save_tool_model(folder: Path, template: str | None = None) -> Path:
    told = native_prompt(QUESTION.prompt, QUESTION.boxes)
    texts = [
        told,
        VisualCode.run_visual_code.__doc__ or "",
        tool_call(GOOD),
        RIGHT,
        tool_template(),
    ]
    write_tiny_tool_model(folder, SMALL, texts * 3, template or tool_template())
    return folder


def tool_model(folder: Path) -> VisionModel:
    return open_vision_model(save_tool_model(folder))
