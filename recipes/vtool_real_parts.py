"""Who `vtool_real` asks: a tiny model alone, with tools, or behind an edit that a script chose."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from tastemaker.models.tiny_tool_vlm import TinyTool
from tastemaker.models.vlm import VisionModel
from tastemaker.reinforce.learning import LearningConfig
from tastemaker.reinforce.picture_questions import PictureQuestion
from tastemaker.reinforce.sandbox import open_sandbox
from tastemaker.reinforce.tools import near
from tastemaker.reinforce.vtool import VToolConfig
from tastemaker.reinforce.vtool_prompts import tool_call
from tastemaker.reinforce.vtool_rollout import Conversation, Rollout, RolloutOptions, scored
from tastemaker.reinforce.vtool_rollout import rollouts as rolled
from tastemaker.reinforce.vtool_speaker import Speech, VisionSpeaker
from tastemaker.reinforce.vtool_warm import WarmConfig
from tastemaker.reinforce.workbench import SandboxLimits
from tastemaker.run.vtool import VisualConfig, reinforce_vtool
from tastemaker.run.vtool_questions import QuestionConfig, generated
from tastemaker.run.vtool_start import START

ARMS = ("direct", "tools", "scripted edit")
PATIENT = SandboxLimits(seconds=60)
"""On a busy machine a snippet may wait."""
_TOKENS, _TOGETHER = 96, 8


def trained(run: Path, toy: bool) -> Path:
    """A tiny model, warmed up and reinforced on generated charts; made once."""
    easy = QuestionConfig(
        train=4 if toy else 128, held_out=2 if toy else 24, kinds=("v_bar", "table"),
        templates=("max", "min", "count", "truth"), names=(3, 4),
    )  # fmt: skip
    learning = LearningConfig(
        n=2 if toy else 4, prompts_per_step=2, steps=1 if toy else 6, lr=1e-4, beta=0.01,
        max_tokens=8 if toy else _TOKENS, micro=8, save_every=5,
    )  # fmt: skip
    shape = TinyTool(dim=32, layers=1, heads=2, vocabulary=600) if toy else TinyTool(context=4096)
    warm = WarmConfig(steps=2, rows=2) if toy else WarmConfig()
    config = VisualConfig("tiny", 0, VToolConfig(seconds=60, learning=learning), easy, shape, warm)
    reinforce_vtool(config, str(run), (run / "config.json").is_file())
    learned = run / "model"
    return learned if learned.is_dir() else run / START


def drawn_lines(folder: Path) -> Path:
    """Two generated pictures as files, whose boxes nobody has told."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, one in enumerate(generated(QuestionConfig(kinds=("table",)), "test", 2)):
        one.drawn.image.save(folder / f"{number}.png")
        lines.append({"image": f"{number}.png", "question": one.question.text,
                      "answer": one.question.answer, "kind": "table"})  # fmt: skip
    path = folder / "drawn.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


def edit_for(question: PictureQuestion) -> str:
    """A call that outlines what the question names, or else the first name there is."""
    axis, boxes = next(((axis, some) for axis, some in question.boxes.items() if some), ("", {}))
    if not boxes:
        return "FINAL ANSWER: nothing. TERMINATE"
    words = question.prompt.replace("?", " ").split()
    named = [name for word in words for name in near(word, boxes)] or [next(iter(boxes))]
    code = f"image_2 = focus_on_{axis}_with_draw(image_1, {named[:3]!r}, {axis}_bbox)"
    return tool_call(f"{code}\ndisplay(image_2)")


def asked_by(arm: str, vision: VisionModel, questions: Sequence[PictureQuestion]) -> list[Rollout]:
    """What becomes of the questions in an arm."""
    tools = arm != "direct"
    speaker = VisionSpeaker(vision, Speech(_TOKENS, tools=tools, longest=512))
    options = RolloutOptions(tools, native=True, fuzzy=True, limits=PATIENT)
    made: list[Rollout] = []
    with open_sandbox() as sandbox:
        for start in range(0, len(questions), _TOGETHER):
            some = questions[start : start + _TOGETHER]

            def speak(talks: Sequence[Conversation], some=some) -> list[str]:
                if arm == "scripted edit" and len(talks[0]) == 1:
                    return [edit_for(one) for one in some]
                return speaker(talks)

            made += rolled(speak, some, sandbox, options)
    return made


def outcome_of(
    made: Sequence[Rollout], questions: Sequence[PictureQuestion]
) -> Mapping[str, np.ndarray]:
    """Metric → (N,) values, one a question."""
    pairs = list(zip(made, questions, strict=True))
    return {
        "accuracy": np.array([scored(one, q).right for one, q in pairs], float),
        "accuracy by the published rule": np.array(
            [scored(one, q, "relaxed_pix2struct").right for one, q in pairs], float
        ),
        "tool called": np.array([one.outcome != "direct" for one in made], float),
        "code ran": np.array([one.outcome in ("used", "unchanged") for one in made], float),
        "answered": np.array([one.answer is not None for one in made], float),
    }
