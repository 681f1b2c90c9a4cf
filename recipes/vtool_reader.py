"""A fixed reader of bar charts that sees little, and scripts that edit a chart before it looks."""

import numpy as np
from PIL import Image

from tastemaker.reinforce.picture_questions import of_chart
from tastemaker.reinforce.sandbox import open_sandbox
from tastemaker.reinforce.vtool_rollout import RolloutOptions, rollouts, scored
from tastemaker.reinforce.workbench import SandboxLimits
from tastemaker.worlds.charts import AskedChart

SIDE, PIXELS = 192, 16
"""Pixels of a chart, and those that the reader sees of it."""
PATIENT = RolloutOptions(limits=SandboxLimits(seconds=60))
"""A script's snippets end; on a busy machine one may wait."""
EFFECTS = {"direct": "", "oracle mask": "mask", "oracle outline": "draw", "random mask": "mask",
           "no-op edit": "mask"}  # fmt: skip
"""Arm → what its script does."""


def inks(image: Image.Image, one: AskedChart) -> np.ndarray:
    """(N,) how coloured it is around each name, for its width: a gaze is four pixels wide."""
    small = np.asarray(image.resize((PIXELS, PIXELS), Image.Resampling.BOX), float) / 255
    seen = small.max(-1) - small.min(-1)
    boxes = one.drawn.boxes["x_values"].values()
    edges = np.array([(box.x1, box.x2) for box in boxes]) * PIXELS / SIDE
    middles = edges.mean(1) - 0.5
    gaze = np.clip(2 - np.abs(middles[:, None] - np.arange(PIXELS)), 0, 1)  # (N, PIXELS)
    return gaze @ seen.mean(0) / np.diff(edges)[:, 0]


def answer(one: AskedChart, values: np.ndarray) -> str:
    """What a reader answers that takes these for the values."""
    read, asked = dict(zip(one.chart.names, values, strict=True)), one.question
    named = [read[name] for name in asked.names]
    said = {
        "lookup": lambda: round(named[0]), "sum": lambda: round(named[0] + named[1]),
        "truth": lambda: str(named[0] > named[1]).lower(),
        "max": lambda: max(read, key=read.__getitem__),
        "min": lambda: min(read, key=read.__getitem__),
        "count": lambda: sum(value > int(asked.text.split()[-1][:-1]) for value in named),
    }  # fmt: skip
    return f"FINAL ANSWER: {said[asked.template]()}. TERMINATE"


def action(name: str, one: AskedChart, rng: np.random.Generator) -> str:
    """What the script of an arm writes first."""
    names, many = list(one.chart.names), len(one.question.names)
    if name == "random mask":
        names = [names[n] for n in rng.permutation(len(names))[:many]]
    elif name != "no-op edit":
        names = list(one.question.names)
    call = f"focus_on_x_values_with_{EFFECTS[name]}(image_1, {names!r}, x_values_bbox)"
    return f"ACTION 0:\n```python\nimage_2 = {call}\ndisplay(image_2)\n```"


def whole(one: AskedChart) -> bool:
    """Whether a question is about all names."""
    return len(one.question.names) == len(one.chart.names)


def seen(name: str, charts: list[AskedChart], seed: int, lines: dict) -> tuple[list, list]:
    """Rollouts of an arm, and the ink that the reader saw in the image that it answered by."""
    rng, inked = np.random.default_rng(seed), []

    def speak(talks: list) -> list[str]:
        if EFFECTS[name] and len(talks[0]) == 1:
            return [action(name, one, rng) for one in charts]
        inked.extend(inks(talk[-1].images[0], one) for talk, one in zip(talks, charts, strict=True))
        return [
            answer(one, np.polyval(lines.get(whole(one), [0.0]), ink))
            for ink, one in zip(inked, charts, strict=True)
        ]

    questions = [of_chart(one) for one in charts]
    with open_sandbox() as sandbox:
        return rollouts(speak, questions, sandbox, PATIENT), inked


def line_of(charts: list[AskedChart], inked: list, about_all: bool) -> np.ndarray:
    """From ink to value, fitted to the names that such questions are about."""
    known = [
        (ink[n], one.chart.values[0][n])
        for ink, one in zip(inked, charts, strict=True)
        if whole(one) == about_all
        for n, name in enumerate(one.chart.names)
        if name in one.question.names
    ]
    return np.polyfit(*np.array(known, float).T, 1)


def right(name: str, train: list[AskedChart], test: list[AskedChart], seed: int) -> np.ndarray:
    """(N,) 1 where an arm answers right; the reader is used to what the arm shows it."""
    _, inked = seen(name, train, seed, {})
    made, _ = seen(name, test, seed, {all_: line_of(train, inked, all_) for all_ in (True, False)})
    expected = "unchanged" if name == "no-op edit" else "used" if EFFECTS[name] else "direct"
    assert all(one.outcome == expected for one in made)
    pairs = zip(made, test, strict=True)
    return np.array([scored(roll, of_chart(one)).right for roll, one in pairs], float)
