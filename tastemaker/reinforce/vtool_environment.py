"""Visual tool use as an environment of TRL's trainer: a picture, its boxes, and one run of code.

The model calls `run_visual_code`, a tool that its chat template shows it; the edited image comes
back as part of the tool's message and enters the next turn.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tastemaker.data.boxes import Axis, Boxes
from tastemaker.models.extras import extra
from tastemaker.reinforce.picture_questions import PictureQuestion, boxes_of
from tastemaker.reinforce.relaxed_answers import RuleName
from tastemaker.reinforce.sandbox import Ran, Sandbox, run_snippet
from tastemaker.reinforce.vtool_prompts import final_answer, native_prompt, observed
from tastemaker.reinforce.vtool_rollout import RolloutOptions, answer_score
from tastemaker.reinforce.workbench import Workbench, as_tables

Part = dict[str, Any]
"""Of a message: `{"type": "image", "image": …}` or `{"type": "text", "text": …}`."""
Reward = Callable[..., list[float]]


class VisualCode:
    """One rollout: what stands in a row, and what became of the code.

    Args:
        sandbox: Where code runs; rollouts share it.
        options: What code may do.
    """

    def __init__(self, sandbox: Sandbox, options: RolloutOptions) -> None:
        self.ran: Ran | None = None
        """of the call; None: there was none"""
        self._sandbox, self._options = sandbox, options
        self._image: Any = None
        self._boxes: dict[Axis, Boxes] = {}

    def reset(self, **row: Any) -> None:
        """Take the picture and the boxes of a row that `question_rows` made."""
        self.ran = None
        self._image = row["images"][0]
        self._boxes = boxes_of(json.loads(row["metadata"]).get("boxes", {}))

    def run_visual_code(self, code: str) -> list[Part]:
        """Run Python that edits image_1 by the focus functions and ends in display(image).

        Args:
            code: The Python. It may be run once.

        Returns:
            The displayed image and a note, or a note of what went wrong.
        """
        if self.ran is not None:
            return [_text("OBSERVATION 0: Code may be run once. Answer now.")]
        boxes = as_tables(self._boxes) if self._options.as_tables else self._boxes
        bench = Workbench(self._image, boxes, self._options.limits, self._options.fuzzy)
        self.ran = run_snippet(self._sandbox, code if isinstance(code, str) else "", bench)
        note = _text(observed(self.ran))
        return [note] if self.ran.image is None else [_image(self.ran.image), note]


def environments(
    sandbox: Sandbox, options: RolloutOptions | None = None
) -> Callable[[], VisualCode]:
    """What the trainer makes an environment by, for each rollout."""
    return lambda: VisualCode(sandbox, options or RolloutOptions())


def question_rows(questions: Sequence[PictureQuestion]) -> Any:
    """Questions as the trainer reads them: `prompt, images, answer, metadata`.

    Raises:
        BadInput: If the library of tables is missing, or a picture cannot be opened.
    """
    with extra("rl"):
        from datasets import Dataset
    return Dataset.from_list(
        [
            {
                "prompt": [{"role": "user", "content": native_prompt(one.prompt, one.boxes)}],
                "images": [one.opened()],
                "answer": one.answer,
                "metadata": json.dumps(dict(one.metadata)),
            }
            for one in questions
        ]
    )


def outcome_reward(rule: RuleName = "relaxed_strict") -> Reward:
    """A reward of the outcome alone, 0 or 1, by a rule of `relaxed_answers`."""

    def outcome(
        completions: Sequence[Sequence[Mapping[str, Any]]],
        answer: Sequence[str],
        metadata: Sequence[str],
        **others: object,
    ) -> list[float]:
        return [
            float(answer_score(final_answer(last_text(said)), gold, json.loads(known), rule).right)
            for said, gold, known in zip(completions, answer, metadata, strict=True)
        ]

    return outcome


def last_text(messages: Sequence[Mapping[str, Any]]) -> str:
    """What the model wrote in the last of its messages; nothing where a tool's is the last."""
    last = messages[-1] if messages else {"role": "tool"}
    if last.get("role") != "assistant":
        return ""
    content = last.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def _text(text: str) -> Part:
    return {"type": "text", "text": text}


def _image(image: Any) -> Part:
    return {"type": "image", "image": image}
