"""Rollouts of visual tool use: ask, let act once in the sandbox, show, let answer, read.

The model is anything that answers conversations with pictures. An answer is scored by its outcome
alone; whether a tool was used earns nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tastemaker.data.boxes import Axis, Boxes
from tastemaker.errors import BadInput
from tastemaker.reinforce.picture_questions import PictureQuestion
from tastemaker.reinforce.relaxed_answers import RuleName, Score, score
from tastemaker.reinforce.sandbox import Ran, Sandbox, run_snippet
from tastemaker.reinforce.vtool_prompts import Turn, native_prompt, observed, parsed, tool_prompt
from tastemaker.reinforce.workbench import SandboxLimits, Workbench, as_tables

if TYPE_CHECKING:
    from PIL.Image import Image

Outcome = Literal["direct", "used", "unchanged", "failed"]
"""Answered at once; was shown an edited image, or the first as it was; its code failed."""


@dataclass(frozen=True, eq=False)
class Message:
    """One message of a conversation."""

    role: Literal["user", "assistant", "tool"]
    text: str
    images: tuple[Image, ...] = ()
    """shown before the text"""


Conversation = tuple[Message, ...]
Put = Callable[[str, Mapping[Axis, Boxes]], str]
Speaker = Callable[[Sequence[Conversation]], Sequence[str]]
"""Conversations → what is written next in each."""


@dataclass(frozen=True)
class RolloutOptions:
    """How a model is asked, and what its snippets may do."""

    tools: bool = True
    """whether it is told of any"""
    native: bool = False
    """whether it calls the tool by its own template, instead of writing a block of code"""
    replaces: bool = False
    """whether the edited image stands in place of the first, instead of beside it"""
    fuzzy: bool = False
    """whether a name that no box has stands for the nearest"""
    as_tables: bool = False
    """whether the tools of tables work on charts too, as checkpoints of the original expect"""
    limits: SandboxLimits = field(default_factory=SandboxLimits)
    put: Put | None = None
    """question and boxes → what the model is asked; None: as `vtool_prompts` has it"""


@dataclass(frozen=True, eq=False)
class Rollout:
    """What became of a question."""

    messages: Conversation
    """the last is an answer"""
    outcome: Outcome
    turns: tuple[Turn, ...]
    """one, or two"""
    ran: Ran | None = None
    """of the snippet, if there was one"""

    @property
    def answer(self) -> str | None:
        """The final answer, of the last turn."""
        return self.turns[-1].answer


def rollouts(
    speaker: Speaker,
    questions: Sequence[PictureQuestion],
    sandbox: Sandbox,
    options: RolloutOptions | None = None,
) -> list[Rollout]:
    """Ask questions, all together: at most two calls of the model.

    Args:
        speaker: The model.
        questions: N questions; one asked several times stands there several times.
        sandbox: Where snippets run.
        options: How.

    Raises:
        BadInput: If a picture cannot be opened, or the model answers too few.
    """
    how = options or RolloutOptions()
    images = [question.opened() for question in questions]
    prompt = how.put or (native_prompt if how.native else tool_prompt)
    asked = [
        (Message("user", prompt(one.prompt, one.boxes if how.tools else {}), (image,)),)
        for one, image in zip(questions, images, strict=True)
    ]
    made = [
        _acted(talk, text, question, sandbox, how)
        for talk, text, question in zip(asked, _said(speaker, asked), questions, strict=True)
    ]
    again = [n for n, one in enumerate(made) if one.ran is not None]
    for n, text in zip(again, _said(speaker, [made[n].messages for n in again]), strict=True):
        made[n] = _answered(made[n], text)
    return made


def scored(rollout: Rollout, question: PictureQuestion, rule: RuleName = "relaxed_strict") -> Score:
    """The score of a rollout, whose `right` is its reward."""
    return answer_score(rollout.answer, question.answer, question.metadata, rule)


def answer_score(
    answer: str | None, gold: str, metadata: Mapping[str, object], rule: RuleName
) -> Score:
    """The score of an answer: wrong where there is none.

    Args:
        answer: A final answer.
        gold: What is right.
        metadata: Of the question; its `names` are no numbers.
        rule: How parts are compared.
    """
    if answer is None:
        return Score(False, 0.0)
    names = metadata.get("names")
    known = [str(name) for name in names] if isinstance(names, list) else []
    return score(answer, gold, rule, known)


def by_outcome(
    made: Sequence[Rollout], scores: Sequence[Score]
) -> dict[Outcome, tuple[int, float]]:
    """How many rollouts came to each outcome, and what share of them was right.

    Args:
        made: Rollouts.
        scores: Of each.
    """
    right: dict[Outcome, list[bool]] = {}
    for rollout, one in zip(made, scores, strict=True):
        right.setdefault(rollout.outcome, []).append(one.right)
    return {outcome: (len(some), sum(some) / len(some)) for outcome, some in right.items()}


def _said(speaker: Speaker, talks: Sequence[Conversation]) -> Sequence[str]:
    texts = speaker(talks) if talks else []
    if len(texts) != len(talks):
        what = f"The model answered {len(texts)} of {len(talks)} conversations."
        raise BadInput(what, "rollouts", "Give a model that answers each.")
    return texts


def _acted(
    talk: Conversation, text: str, question: PictureQuestion, sandbox: Sandbox, how: RolloutOptions
) -> Rollout:
    turn, whole = parsed(text), (*talk, Message("assistant", text))
    boxes = question.boxes
    if turn.code is None or not how.tools or not any(boxes.values()):
        return Rollout(whole, "direct", (Turn(None, turn.answer),))
    first = talk[0]
    known = as_tables(boxes) if how.as_tables else boxes
    bench = Workbench(first.images[0], known, how.limits, how.fuzzy)
    ran = run_snippet(sandbox, turn.code, bench)
    shown = () if ran.image is None or how.replaces else (ran.image,)
    if how.replaces and ran.image is not None:
        whole = (Message("user", first.text, (ran.image,)), *whole[1:])
    told = Message("tool" if how.native else "user", observed(ran), shown)
    return Rollout((*whole, told), ran.outcome, (turn,), ran)


def _answered(one: Rollout, text: str) -> Rollout:
    """With the second turn, in which nothing is run any more."""
    turn = Turn(None, parsed(text).answer)
    whole = (*one.messages, Message("assistant", text))
    return Rollout(whole, one.outcome, (*one.turns, turn), one.ran)
