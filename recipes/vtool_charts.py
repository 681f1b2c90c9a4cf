"""Small bar charts, what is asked about them, and the few tokens that a small model speaks in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model
from tastemaker.reinforce.picture_questions import PictureQuestion, of_chart
from tastemaker.reinforce.vtool_rollout import RolloutOptions
from tastemaker.reinforce.vtool_talk import ShortTalk
from tastemaker.reinforce.vtool_warm import answered
from tastemaker.reinforce.workbench import SandboxLimits
from tastemaker.worlds.chart_data import LARGEST, ChartOptions
from tastemaker.worlds.charts import AskedOptions, asked_chart

SIDE = 48
CHARTS = ChartOptions(("v_bar",), SIDE, SIDE, fewest=4, most=6, step=10, years=0.0)
"""A label is one letter of six pixels; a step of the numbers is four pixels high."""
HARD, EASY = ("lookup",), ("highest", "lowest", "count")
"""Of a bar by its name, which an edit shows; and of all bars, which most edits hide."""
ASKED = AskedOptions((*HARD, *HARD, *EASY), ("difference",))
EFFECTS = ("mask", "draw", "highlight")
CALLS = {
    effect: f"ACTION 0:\n```python\nimage_2 = focus_on_x_values_with_{effect}(image_1, ['"
    for effect in EFFECTS
}
_SHOWS = "'], x_values_bbox)\ndisplay(image_2)\n```"
_SEEN = "OBSERVATION 0: Here is the edited image.\nAnswer now."
HOW = RolloutOptions(
    replaces=True, put=lambda question, boxes: question, limits=SandboxLimits(seconds=60)
)
"""The edited image stands in place of the first; a question is put as it is, for few tokens."""
TRAINED, WARM, VALID, TEST = 0, 1, 2, 3
"""Streams of charts of which none is another's."""


def questions(seed: int, stream: int, first: int, many: int) -> list[PictureQuestion]:
    """Questions number `first` and on of a stream of a seed."""
    options = replace(CHARTS, seed=4 * seed + stream)
    numbers = range(first, first + many)
    return [of_chart(asked_chart(options, ASKED, "train", number)) for number in numbers]


def kind(question: PictureQuestion) -> str:
    """What is asked."""
    return str(question.metadata["template"])


def named(question: PictureQuestion) -> str:
    """The name that a question singles out; empty: none."""
    hard = kind(question) in HARD
    return question.prompt.rstrip("?").split(" for ")[-1] if hard else ""


def called(effect: str, name: str) -> str:
    """A turn that edits."""
    return f"{CALLS[effect]}{name}{_SHOWS}"


def fresh(seed: int, asked: Sequence[PictureQuestion]) -> ShortTalk:
    """A model of 217,000 weights that has learned nothing; its tokens are made of questions."""
    texts = [one.prompt for one in asked]
    texts += [text for one in asked for text in (one.answer, *one.boxes["x_values"])]
    shape = TinyVision("conv", SIDE, 64, 64, 2, 4, 700, 256)
    values = map(str, (*range(CHARTS.most + 1), *range(CHARTS.step, LARGEST, CHARTS.step)))
    phrases = (*CALLS.values(), _SHOWS, _SEEN, *map(answered, values))
    return ShortTalk(tiny_vision_model(shape, texts, seed), phrases)


def rote(asked: Sequence[PictureQuestion], rng: np.random.Generator) -> list[str]:
    """First turns as a warm start has them: 70 % answers, 30 % calls, half of the right name.

    Args:
        asked: Questions.
        rng: Decides.
    """
    texts = []
    for one in asked:
        names, own = list(one.boxes["x_values"]), named(one)
        if rng.random() < CALLING:
            right = own and rng.random() < NAMING
            name = own if right else names[int(rng.integers(len(names)))]
            texts.append(called(EFFECTS[int(rng.integers(len(EFFECTS)))], name))
        else:
            texts.append(answered(one.answer))
    return texts


CALLING, NAMING = 0.3, 0.5
