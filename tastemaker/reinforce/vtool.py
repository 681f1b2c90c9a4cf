"""VTool-R1: a model learns by its answers' outcome when, and how, to edit an image before it says.

Paper: VTool-R1: VLMs Learn to Think with Images via Reinforcement Learning on Multimodal Tool Use,
https://arxiv.org/abs/2505.19255

A question about a chart or a table is answered n times. Each time the model may first write a few
lines of Python that mask, outline or highlight columns, rows or values (`tools`); they run in a
sandbox, and the edited image enters its second turn. The reward r is 1 where the final answer is
right, else 0, whether or not a tool was used, and

    A_i = (r_i − mean r) / (std r + 1e-4)

is the advantage of all that the model itself wrote in rollout i, and of nothing that it was told;
beside it counts, by β, how far the model is from what it was as it began.

Left out: a language model as judge (rules decide, `relaxed_answers`); bonuses for calls or form,
which the paper does not use either. In its code the turn that calls a tool gets no gradient:
`train_tool_turn=False` does the same.
Checked: `test_the_tool_turn_learns_or_not_and_the_observation_never`,
`test_the_edited_image_enters_the_next_turn`, `test_a_model_is_taught_and_speaks`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tastemaker.errors import BadInput
from tastemaker.models.extras import extra
from tastemaker.models.vlm import VisionModel
from tastemaker.reinforce.learning import LearningConfig, trainer_config
from tastemaker.reinforce.picture_questions import PictureQuestion
from tastemaker.reinforce.relaxed_answers import RuleName
from tastemaker.reinforce.sandbox import Sandbox, SandboxKind
from tastemaker.reinforce.vtool_prompts import native_prompt
from tastemaker.reinforce.vtool_rollout import Message, RolloutOptions
from tastemaker.reinforce.vtool_speaker import said_of, tool_schema
from tastemaker.reinforce.workbench import SandboxLimits

_QWEN = ("<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>")
_SHORTEN = "Give fewer --max-tokens, a smaller --longest, or a model that reads more."
_NOTE = 200
"""Tokens that are kept free for what a tool says beside its image."""


@dataclass(frozen=True)
class VToolConfig:
    """How a model is taught, beside how it learns."""

    train_tool_turn: bool = True
    """whether the turn that runs code learns; in the published versions it does not"""
    rule: RuleName = "relaxed_strict"
    """of what is right; `relaxed_pix2struct` takes 2015 for 2010, so it rewards guesses"""
    sandbox: SandboxKind = "monty"
    """where code runs"""
    seconds: float = 1.0
    """that a snippet may run"""
    fuzzy: bool = False
    """whether a name that no box has stands for the nearest"""
    learning: LearningConfig = field(default_factory=LearningConfig)

    @property
    def rollouts(self) -> RolloutOptions:
        """What code may do."""
        limits = SandboxLimits(seconds=self.seconds)
        return RolloutOptions(native=True, fuzzy=self.fuzzy, limits=limits)


@dataclass(frozen=True, eq=False)
class Beside:
    """What a training is watched and kept by."""

    folder: Path
    """of the run"""
    kept: Any = None
    """`TrainerCheckpoints`; None: nowhere"""
    start: Path | None = None
    """a checkpoint to go on from"""
    watch: Callable[[Mapping[str, float]], None] = lambda line: None
    """is told what was measured at every step"""
    stops: Callable[[], bool] = lambda: False
    """whether training shall end after this step, in order"""


def speaking(vision: VisionModel, where: str) -> VisionModel:
    """The model, with a template of chats that tells of tools and shows their images.

    One in the marks of Qwen gets such a template where its own has none.

    Raises:
        BadInput: If there is none for its marks.
    """
    if vision.prompts.tells_of(tool_schema()):
        return vision
    known = {*vision.processor.tokenizer.get_added_vocab()}
    if known.issuperset(_QWEN):
        from tastemaker.reinforce.vtool_trainer import tool_template

        vision.speak(tool_template())
    if not vision.prompts.tells_of(tool_schema()):
        fix = "Give a model that calls tools and takes their images, such as a Qwen2.5-VL."
        raise BadInput("The model's chat template tells of no tools.", where, fix)
    return vision


def room_for(vision: VisionModel, questions: Sequence[PictureQuestion], max_tokens: int) -> int:
    """Tokens that both turns of the longest rollout, the edited image and its note take.

    Args:
        vision: Who reads them.
        questions: All that is asked.
        max_tokens: That the model may write in a turn.

    Raises:
        BadInput: If one is longer than the model reads with that; names it.
    """
    most = 0
    for number, one in enumerate(questions, 1):
        asked = Message("user", native_prompt(one.prompt, one.boxes), (one.opened(),))
        where = f"question {number}, {one.metadata.get('source', '')}"
        try:
            (prompt,), _ = vision.prompts.read_talks([said_of((asked,))], [tool_schema()])
        except BadInput as error:
            raise BadInput(error.what, where, _SHORTEN) from error
        image = prompt.count(vision.mark)
        whole = len(prompt) + image + 2 * max_tokens + _NOTE
        if whole > vision.most_tokens:
            what = (
                f"The question and its picture take {len(prompt):,} tokens, and with an edited "
                f"image and two turns {whole:,}; the model reads {vision.most_tokens:,}."
            )
            raise BadInput(what, where, _SHORTEN)
        most = max(most, image)
    return most + 2 * max_tokens + _NOTE


def teach(
    vision: VisionModel,
    questions: Sequence[PictureQuestion],
    sandbox: Sandbox,
    config: VToolConfig,
    beside: Beside,
) -> None:
    """Let a model learn in place, through TRL.

    Args:
        vision: The model; `speaking` made sure of its template.
        questions: To learn from.
        sandbox: Where its code runs.
        config: How.
        beside: What it is watched and kept by, and where it begins.

    Raises:
        BadInput: If the trainer does not take the template, or nothing can be learned from.
        NumericFault: If a loss is not finite.
    """
    with extra("rl"):
        from tastemaker.reinforce.vtool_environment import question_rows
        from tastemaker.reinforce.vtool_trainer import ToolTraining, VisualToolTrainer
    from tastemaker.reinforce.lesson import schedule
    from tastemaker.train.processes import processes

    if not questions:
        raise BadInput("There is nothing to learn from.", "questions", "Give a question or more.")
    learning, state = config.learning, processes()
    args = trainer_config(learning, beside.folder, state.num_processes, state.device.type == "cpu")
    args.max_completion_length = room_for(vision, questions, learning.max_tokens)
    args.generation_kwargs = {"max_new_tokens": learning.max_tokens}
    order = schedule(len(questions), learning.steps * learning.prompts_per_step, learning.seed)
    trainer = VisualToolTrainer(
        vision.model, vision.processor.whole, args, question_rows(questions).select(order),
        sandbox, ToolTraining(config.train_tool_turn, config.rule, config.rollouts),
        kept=beside.kept, watch=beside.watch, stops=beside.stops, beta=learning.beta,
    )  # fmt: skip
    try:
        trainer.learn(beside.start)
    finally:
        vision.eval()
