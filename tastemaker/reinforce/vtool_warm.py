"""A warm start for visual tool use: a model that knows nothing learns what turns look like.

It is shown generated charts with right answers, most of them direct and some after a call of a
random tool with random names, so that it can call at all. When to call, and what to name, is left
to reinforcement.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from tastemaker.data.contexts import Int64s
from tastemaker.errors import BadInput
from tastemaker.models.vlm import VisionModel
from tastemaker.models.vlm_rows import Rows, Said, padded_rows
from tastemaker.reinforce.picture_questions import of_chart
from tastemaker.reinforce.sandbox import Ran
from tastemaker.reinforce.tools import EFFECTS, Tool, differ
from tastemaker.reinforce.vtool_prompts import END, MARK, native_prompt, observed, tool_call
from tastemaker.reinforce.vtool_rollout import Message
from tastemaker.reinforce.vtool_speaker import said_of, tool_schema
from tastemaker.reinforce.workbench import DISPLAY, FIRST, boxes_name
from tastemaker.train.config import FitConfig
from tastemaker.train.loop import Fitted, fit
from tastemaker.worlds.charts import AskedChart

Draw = Callable[[int], AskedChart]
"""A chart by its number."""


@dataclass(frozen=True)
class WarmConfig:
    """How a warm start goes."""

    steps: int = 250
    """of the optimiser"""
    rows: int = 8
    """turns of a step"""
    lr: float = 3e-3
    called: float = 0.6
    """share of charts that are answered after a call"""
    named: float = 0.3
    """chance that a call names what the question needs, and not as many names at random"""
    bare: float = 0.15
    """share of steps in which nobody is told of tools"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what nothing can be learned by."""
        chances = (self.called, self.named, self.bare)
        if self.steps < 1 or self.rows < 1 or not 0 <= min(chances) <= max(chances) <= 1:
            fix = "Give counts of 1 or more, and chances of 0 to 1."
            raise BadInput(f"{self} is no warm start.", "warm start", fix)


@dataclass(frozen=True, eq=False)
class Shown:
    """One turn to be learned."""

    talk: list[Said]
    """what stands before it"""
    answer: str


def answered(answer: str) -> str:
    """What a turn that answers says."""
    return f"{MARK} {answer}. {END}"


def demonstrations(
    charts: Iterable[AskedChart], config: WarmConfig, number: int = 0, tools: bool = True
) -> list[Shown]:
    """Turns about charts: an answer, or a call and the answer after it.

    Args:
        charts: With what one must look at.
        config: How many calls there are.
        number: Of these charts, which decides where tools are called.
        tools: Whether there are any.
    """
    rng = np.random.default_rng([config.seed, 7, number])
    shown = []
    for one in charts:
        question = of_chart(one)
        image = question.opened()
        boxes = question.boxes if tools else {}
        asked = Message("user", native_prompt(question.prompt, boxes), (image,))
        answer = answered(question.answer)
        if rng.random() >= config.called or not tools:
            shown.append(Shown(said_of((asked,)), answer))
            continue
        tool, names = _chosen(one, config, rng)
        call = f"image_2 = {tool.name}({FIRST}, {names!r}, {boxes_name(tool.axis)})"
        code = tool_call(f"{call}\n{DISPLAY}(image_2)")
        edited = tool(image, names, one.drawn.boxes[tool.axis])
        ran = Ran(edited, edited=differ(image, edited))
        seen = Message("tool", observed(ran), (edited,))
        whole = (asked, Message("assistant", code), seen)
        shown += [Shown(said_of((asked,)), code), Shown(said_of(whole), answer)]
    return shown


def _chosen(
    one: AskedChart, config: WarmConfig, rng: np.random.Generator
) -> tuple[Tool, list[str]]:
    """A tool, and names of its axis."""
    axes = list(one.focus)
    axis = axes[int(rng.integers(len(axes)))]
    names, known = list(one.focus[axis]), list(one.drawn.boxes[axis])
    if rng.random() >= config.named:
        names = [known[n] for n in rng.permutation(len(known))[: max(1, min(len(names), 2))]]
    return Tool(axis, EFFECTS[int(rng.integers(len(EFFECTS)))]), names


@dataclass(frozen=True, eq=False)
class ShownStep:
    """Turns that are learned from together; a seam `Step`."""

    turns: Rows
    target_count: int
    """tokens that are learned, of the whole step"""
    rows: Int64s | None = None

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[ShownStep]:
        """What a process computes."""
        many = len(self.turns)
        bounds = np.linspace(0, many, world + 1).astype(int)
        start, stop = int(bounds[rank]), int(bounds[rank + 1])
        return [replace(self, turns=self.turns.take(start, stop))]

    def to(self, device: torch.device) -> ShownStep:
        """The same on another device."""
        return replace(self, turns=self.turns.to(device))


@dataclass(frozen=True, eq=False)
class ShownSteps:
    """One epoch of steps; the seam `Steps`."""

    vision: VisionModel
    draw: Draw
    config: WarmConfig

    def __len__(self) -> int:
        """Steps in the epoch."""
        return self.config.steps

    def epoch(self, number: int, skip: int = 0) -> Iterator[ShownStep]:
        """Steps, each of turns about charts of its own."""
        for place in range(skip, len(self)):
            turns = self.step(place)
            yield ShownStep(turns, int(turns.learned.sum()))

    def step(self, place: int) -> Rows:
        """The turns of a step: of those about its charts, some by chance."""
        many = self.config.rows
        charts = [self.draw(place * many + n) for n in range(many)]
        rng = np.random.default_rng([self.config.seed, place])
        tools = bool(rng.random() >= self.config.bare)
        shown = demonstrations(charts, self.config, place, tools)
        order = rng.permutation(len(shown))
        return rows_of(self.vision, [shown[row] for row in order[:many]], tools)


def rows_of(vision: VisionModel, shown: Sequence[Shown], tools: bool = True) -> Rows:
    """Turns as the model learns them, told of the tool or not."""
    talks = [one.talk for one in shown]
    prompts, pictures = vision.prompts.read_talks(talks, [tool_schema()] if tools else [])
    answers = vision.prompts.answer_tokens([one.answer for one in shown])
    held = [sum(len(said.pictures) for said in talk) for talk in talks]
    return padded_rows(prompts, answers, pictures, held, vision.prompts.padding)


class _Pupil(nn.Module):
    """A model whose call is its loss; the seam `Trainable`."""

    def __init__(self, vision: VisionModel) -> None:
        super().__init__()
        self.vision = vision

    def forward(self, step: ShownStep) -> Tensor:
        loss, _ = self.vision.answer_loss(step.turns)
        return loss / step.target_count


def warm_start(vision: VisionModel, draw: Draw, config: WarmConfig | None = None) -> Fitted:
    """Teach a model to speak, in place.

    Args:
        vision: Its template tells of tools.
        draw: Gives a chart by its number, to learn from.
        config: How.
    """
    how = config or WarmConfig()
    pupil = _Pupil(vision)
    steps = ShownSteps(vision, draw, how)
    last = steps.step(how.steps)

    @torch.no_grad()
    def validate() -> dict[str, float]:
        loss, many = vision.answer_loss(last)
        return {"likelihood": float(torch.exp(-loss / many))}

    told = FitConfig(
        epochs=1, lr=how.lr, warmup=max(1, how.steps // 10), batch=how.rows, patience=0,
        metric="likelihood", clip=1.0, seed=how.seed, checkpoint_every=10**6,
    )  # fmt: skip
    fitted = fit(pupil, steps, told, validate)
    vision.eval()
    return fitted
