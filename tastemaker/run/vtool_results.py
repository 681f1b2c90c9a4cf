"""What a training of visual tool use measures, and what it has to tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tastemaker import files
from tastemaker.counts import counted
from tastemaker.files import JsonObject
from tastemaker.reinforce.picture_questions import PictureQuestion
from tastemaker.reinforce.relaxed_answers import RuleName
from tastemaker.reinforce.sandbox import Sandbox
from tastemaker.reinforce.vtool_rollout import Rollout, RolloutOptions, rollouts, scored
from tastemaker.reinforce.vtool_speaker import VisionSpeaker

if TYPE_CHECKING:
    from PIL.Image import Image

EXAMPLES = "examples"
"""Folder of the pictures that the page shows."""
SHOWN, _SIDE = 6, 640
"""Examples, and pixels of a side of their pictures."""
TOOL_MONITORS = ("used", "unchanged", "failed", "rolled_back")
"""Monitors of calls: three things that become of one, and how many of them are lost."""
_TOGETHER = 16
_LOST, _UNREAD = 0.05, 0.5


@dataclass(frozen=True)
class Said:
    """What became of one question."""

    outcome: str
    """of `vtool_rollout`"""
    kind: str
    right: bool
    pix2struct: bool
    """whether it is right by the rule of published numbers"""
    answered: bool
    """whether there was a final answer at all"""
    f1: float = 0.0
    """of the parts of an answer"""


def asked(
    speaker: VisionSpeaker,
    questions: Sequence[PictureQuestion],
    sandbox: Sandbox,
    options: RolloutOptions,
    rule: RuleName = "relaxed_strict",
    told: Callable[[int, int], None] = lambda done, many: None,
) -> tuple[list[Rollout], list[Said]]:
    """Ask all questions once, and score the answers by the rule of rewards and the published one.

    Args:
        speaker: Who is asked.
        questions: What.
        sandbox: Where code runs.
        options: What code may do.
        rule: Of what is right.
        told: Is told how many of how many were asked.
    """
    made: list[Rollout] = []
    for start in range(0, len(questions), _TOGETHER):
        made += rollouts(speaker, questions[start : start + _TOGETHER], sandbox, options)
        told(len(made), len(questions))
    return made, [_said(*pair, rule) for pair in zip(made, questions, strict=True)]


def _said(one: Rollout, question: PictureQuestion, rule: RuleName) -> Said:
    own, published = scored(one, question, rule), scored(one, question, "relaxed_pix2struct")
    answered = one.answer is not None
    return Said(one.outcome, kind_of(question), own.right, published.right, answered, own.f1)


def kind_of(question: PictureQuestion) -> str:
    """What of a question it is told apart by: what is asked of a generated chart, else the kind."""
    known = question.metadata
    return str(known.get("template") or known.get("kind") or "chart")


def measured(said: Sequence[Said]) -> JsonObject:
    """Tool rate, and accuracy by what became of a question and by its kind."""
    many = max(len(said), 1)
    outcomes = {one.outcome: None for one in said}
    kinds = {one.kind: None for one in said}
    return {
        "questions": len(said),
        "accuracy": sum(one.right for one in said) / many,
        "accuracy_pix2struct": sum(one.pix2struct for one in said) / many,
        "f1": sum(one.f1 for one in said) / many,
        "tool_rate": sum(one.outcome != "direct" for one in said) / many,
        "answered": sum(one.answered for one in said) / many,
        "by_outcome": {name: _part([x for x in said if x.outcome == name]) for name in outcomes},
        "by_kind": {name: _part([x for x in said if x.kind == name]) for name in sorted(kinds)},
    }


def _part(some: Sequence[Said]) -> JsonObject:
    used = sum(one.outcome != "direct" for one in some)
    right = sum(one.right for one in some)
    return {"count": len(some), "accuracy": right / len(some), "tool_rate": used / len(some)}


def example(
    rollout: Rollout, question: PictureQuestion, said: Said, save: Callable[[Image], str]
) -> JsonObject:
    """One question and its rollout as the page shows it.

    Args:
        rollout: What became of it.
        question: What was asked.
        said: Its scores.
        save: Writes a picture, and gives its name.
    """
    return {
        "question": question.prompt,
        "right": question.answer,
        "answer": rollout.answer,
        "correct": said.right,
        "kind": said.kind,
        "outcome": said.outcome,
        "picture": save(question.opened()),
        "steps": steps_of(rollout, save),
    }


def steps_of(rollout: Rollout, save: Callable[[Image], str]) -> list[JsonObject]:
    """What the model wrote, turn by turn, with the code, the edited image and what it was told."""
    written = [one.text for one in rollout.messages if one.role == "assistant"]
    steps: list[JsonObject] = []
    for number, (text, turn) in enumerate(zip(written, rollout.turns, strict=True)):
        step: JsonObject = {"text": text, "code": turn.code, "image": None, "told": None}
        if number == 0 and rollout.ran is not None:
            step["told"] = rollout.messages[2].text
            if rollout.ran.image is not None:
                step["image"] = save(rollout.ran.image)
        steps.append(step)
    return steps


def examples_of(
    made: Sequence[Rollout],
    questions: Sequence[PictureQuestion],
    said: Sequence[Said],
    folder: Path,
) -> list[JsonObject]:
    """A few rollouts, first those that used the tool, their pictures written into a folder."""
    order = sorted(range(len(made)), key=lambda n: (made[n].outcome != "used", n))
    chosen = [*order[: SHOWN // 2], *sorted(set(range(len(made))) - set(order[: SHOWN // 2]))]
    files.make_folder(folder)
    names = iter(range(10 * SHOWN))

    def save(image: Any) -> str:
        name = f"{next(names)}.png"
        small = image.copy()
        small.thumbnail((_SIDE, _SIDE))
        small.save(folder / name)
        return name

    return [example(made[n], questions[n], said[n], save) for n in chosen[:SHOWN]]


def warnings_of(results: Mapping[str, Any], lines: Sequence[Mapping[str, object]]) -> list[str]:
    """What a reader should know before believing the rest.

    Args:
        results: What is told already.
        lines: Of `metrics.jsonl`.
    """
    told = []
    data, after = results["data"], results["after"]
    whole = data["train"] + data["held_out"]
    if data["boxed"] < whole:
        bare = counted(whole - data["boxed"], "question")
        told.append(f"{bare} of {whole} had no boxes, so no tool: nothing was read in the picture.")
    if (lost := mean(lines, "rolled_back")) > _LOST:
        told.append(
            f"{lost:.0%} of rollouts lost what the tool gave, for want of room: give more "
            "--max-tokens or a smaller --longest."
        )
    if after["questions"] and after["answered"] < _UNREAD:
        told.append(f"{1 - after['answered']:.0%} of the answers had no final answer in them.")
    if lines and not any(mean(lines, name) for name in TOOL_MONITORS[:3]):
        told.append("No rollout called the tool, so none learned from a call.")
    if results["model"]["tiny"] and results.get("kept") == "no":
        told.append("It answered worse than before: the model in the folder is the one before.")
    if results["model"]["tiny"]:
        told.append("The model is tiny and learned from generated charts: its figures are its own.")
    return told


def mean(lines: Sequence[Mapping[str, object]], name: str) -> float:
    """Mean of a monitor over all steps; 0 where it was not measured."""
    values = [value for line in lines if isinstance(value := line.get(name), int | float)]
    return sum(values) / len(values) if values else 0.0
