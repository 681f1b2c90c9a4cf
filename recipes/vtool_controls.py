"""What a policy does on test charts, as it is and where its edits are tampered with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from vtool_charts import CALLS, EASY, HARD, HOW, TEST, kind, questions

from tastemaker.data.boxes import Box
from tastemaker.reinforce.picture_questions import PictureQuestion, box_fields
from tastemaker.reinforce.sandbox import Sandbox
from tastemaker.reinforce.vtool_lean import asked
from tastemaker.reinforce.vtool_prompts import parsed
from tastemaker.reinforce.vtool_rollout import Conversation, Rollout
from tastemaker.reinforce.vtool_talk import ShortTalk

METRICS = ("accuracy", "accuracy at temperature 1", "calls at temperature 1")
CONTROLS = ("placebo box", "no-op edit", "always use", "random use")
NEVER = "warm start, never use"
"""The one control of the start; the others are of what was learned with tools."""
DRAWS = 3
"""Answers to each question at temperature 1."""


@dataclass
class Asker:
    """A policy that is asked in a way of its own."""

    policy: ShortTalk
    draw: torch.Generator | None
    """what it draws by; None: the likeliest"""
    calls: np.ndarray | None = None
    """(B,) whether each first turn must call, or must not; None: as it likes"""
    unedited: bool = False
    """whether it is shown the first image in place of the edited one"""
    first: Sequence[tuple[Conversation, str]] = ()

    def __call__(self, talks: Sequence[Conversation]) -> Sequence[str]:
        """The next turns."""
        if self.first:
            if self.unedited:
                before = [talk for talk, text in self.first if parsed(text).code is not None]
                talks = [(old[0], *new[1:]) for old, new in zip(before, talks, strict=True)]
            return self.policy.speak(talks, self.draw).texts
        texts = self.policy.speak(talks, self.draw, self._allowed()).texts
        self.first = [*zip(talks, texts, strict=True)]
        return texts

    def _allowed(self) -> torch.Tensor | None:
        if self.calls is None:
            return None
        starts = torch.zeros(len(self.policy.tokenizer), dtype=torch.bool)
        starts[[self.policy.tokens([text])[0][0] for text in CALLS.values()]] = True
        return starts[None] == torch.from_numpy(self.calls)[:, None]


def misplaced(question: PictureQuestion) -> PictureQuestion:
    """A question whose names have the boxes of their neighbours."""
    boxes = question.boxes["x_values"]
    places: list[Box] = [*boxes.values()]
    moved = dict(zip(boxes, places[1:] + places[:1], strict=True))
    known = {**question.metadata, "boxes": box_fields({"x_values": moved})}
    return replace(question, metadata=known)


@dataclass
class Measured:
    """What an arm does."""

    right: dict[str, np.ndarray]
    """metric → (N,)"""
    rates: dict[str, float]
    """kind of question → share of calls at temperature 1"""
    shares: dict[str, float]
    """kind of question → share of right answers at temperature 1"""
    effects: dict[str, float]
    """what calls for the hard questions do at temperature 1 → share"""


def measured(
    policy: ShortTalk, seed: int, sandbox: Sandbox, many: int, control: str = "", tools: bool = True
) -> Measured:
    """Ask the test questions of a seed.

    Args:
        policy: What answers.
        seed: Of the charts.
        sandbox: Where calls run.
        many: Questions.
        control: One of `CONTROLS`, or `NEVER`; empty: none.
        tools: Whether calls run.
    """
    own = questions(seed, TEST, 0, many)
    given = [misplaced(one) for one in own] if control == "placebo box" else own
    rng, how = np.random.default_rng(seed), replace(HOW, tools=tools)
    draw, rate = torch.Generator().manual_seed(seed), 0.0
    if control == "random use":
        made, _ = asked(Asker(policy, draw), own, sandbox, how)
        rate = float(np.mean([one.ran is not None for one in made]))

    def once(drawn: bool) -> tuple[list[Rollout], list[bool]]:
        calls = None
        shares = {"always use": 1.0, "random use": rate, NEVER: 0.0}
        if control in shares:
            calls = rng.random(many) < shares[control]
        asker = Asker(policy, draw if drawn else None, calls, control == "no-op edit")
        return asked(asker, given, sandbox, how)

    greedy = once(False)[1]
    made, drawn = zip(*(once(True) for _ in range(DRAWS)), strict=True)
    chances = np.mean(drawn, axis=0)
    kinds = np.array([kind(one) for one in own])
    used = np.mean([[one.ran is not None for one in some] for some in made], axis=0)
    return Measured(
        dict(zip(METRICS, (np.array(greedy, float), chances, used), strict=True)),
        {name: float(used[kinds == name].mean()) for name in (*HARD, *EASY)},
        {name: float(chances[kinds == name].mean()) for name in (*HARD, *EASY)},
        _effects([one for some in made for one, name in zip(some, kinds, strict=True)
                  if name in HARD]),
    )  # fmt: skip


def _effects(made: Sequence[Rollout]) -> dict[str, float]:
    codes = [one.turns[0].code or "" for one in made]
    return {effect: float(np.mean([f"_with_{effect}(" in code for code in codes]))
            for effect in CALLS}  # fmt: skip
