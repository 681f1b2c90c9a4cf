"""A tiny model that can be taught: put together, and warmed up on generated charts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tastemaker.models.tiny_tool_vlm import TinyTool, write_tiny_tool_model
from tastemaker.models.vlm import open_vision_model
from tastemaker.reinforce.vtool_speaker import tool_schema
from tastemaker.reinforce.vtool_warm import Shown, WarmConfig, demonstrations, warm_start
from tastemaker.run.vtool_questions import QuestionConfig, chart_options
from tastemaker.train.journal import LOG
from tastemaker.worlds.charts import AskedChart, AskedOptions, asked_chart

START = "start"
"""Folder of the model as it was before reinforcement."""
_READ = 300
"""Charts whose words tokens are made of."""


def started(run: Path, shape: TinyTool, warm: WarmConfig, questions: QuestionConfig) -> None:
    """Write `start/`, unless it stands there.

    Args:
        run: The run directory.
        shape: Of the model.
        warm: How it is warmed up.
        questions: What charts it will be asked about.
    """
    from tastemaker.reinforce.vtool_trainer import tool_template

    final, partial = run / START, run / f"{START}.partial"
    if final.is_dir():
        return
    for old in (partial, fresh := run / f"{START}.fresh"):
        shutil.rmtree(old, ignore_errors=True)
    # Of a split of its own: what is learned from later is not what was shown before.
    options = chart_options(replace(questions, seed=questions.seed + 1))
    wanted = AskedOptions(questions.templates, ())

    def draw(number: int) -> AskedChart:
        return asked_chart(options, wanted, "train", number)

    words = told(demonstrations(map(draw, range(_READ)), warm))
    template = tool_template()
    write_tiny_tool_model(fresh, shape, [*words, *_fixed(template)], template, questions.seed)
    vision = open_vision_model(fresh)
    LOG.info("a tiny model of %.1f million weights is warmed up",
             sum(one.numel() for one in vision.parameters()) / 1e6)  # fmt: skip
    warm_start(vision, draw, warm)
    partial.mkdir()
    vision.save(partial)
    shutil.rmtree(fresh)
    partial.rename(final)


def told(shown: Sequence[Shown]) -> list[str]:
    """All words of turns."""
    return [text for one in shown for text in (*(said.text for said in one.talk), one.answer)]


def _fixed(template: str) -> list[str]:
    """Words that stand before every conversation, often enough to become tokens of their own."""
    return [template, json.dumps(tool_schema())] * 300
