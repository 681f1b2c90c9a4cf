"""Options of `tastemaker reinforce vtool` and `tastemaker ask`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import tyro

from tastemaker.commands.reinforce_options import MOST_RANK, Loss
from tastemaker.errors import BadInput
from tastemaker.options import check_run

Sandboxes = Literal["monty", "grammar", "bubblewrap"]
Rules = Literal["relaxed_strict", "relaxed_pix2struct", "truth", "denotation"]
TINY = "tiny"
"""What stands for a fresh model."""
MOST = 100_000
"""Questions, far above any use."""


@dataclass(frozen=True)
class FreshOptions:
    """A fresh model, with --tiny."""

    side: int = 64
    """pixels of a side that it sees of a picture"""
    dim: int = 64
    """width of its states"""
    layers: int = 3
    """of its language model"""
    steps: int = 250
    """of its warm start, in which it learns to speak"""

    def __post_init__(self) -> None:
        """Refuse a start in which nothing is learned.

        Raises:
            BadInput: Naming the option.
        """
        if self.steps < 1:
            what = f"A start of {self.steps} steps teaches nothing."
            raise BadInput(what, "--fresh.steps", "Give 1 or more; 250 are usual.")


@dataclass(frozen=True)
class VToolOptions:
    """Let a vision-language model learn when to edit an image before it answers."""

    model: str = ""
    """folder with a vision-language model, its name in the local Hugging Face cache, or a run"""
    tiny: bool = False
    """in place of --model: a fresh model of some hundred thousand weights, in a minute or two"""
    data: str = "charts"
    """questions: charts (generated), a folder of ChartQA such as val, a .json of TabMWP, or a
    .jsonl of your own: image, question, answer and, as one likes, kind (table), boxes, names"""
    questions: int = 256
    """most questions to learn from"""
    held_out: int = 64
    """most questions to measure by, about other pictures; 0: what is learned is kept unchecked"""
    out: str = ""
    """folder of the run; default: runs/vtool-MODEL"""
    train_tool_turn: bool = True
    """let the turn that runs code learn too; in the published versions it does not"""
    rule: Rules = "relaxed_strict"
    """of what is right; relaxed_pix2struct is the published one, and takes 2015 for 2010"""
    sandbox: Sandboxes = "monty"
    """where code of the model runs; none stands in for another that is missing"""
    seconds: float = 1.0
    """that code may run"""
    fuzzy: bool = False
    """let a name that no box has stand for the nearest"""
    longest: int = 512
    """pixels of a side to which larger pictures are scaled"""
    n: int = 8
    """answers to each question of a step, 2 or more"""
    prompts_per_step: int = 4
    """questions of a step"""
    steps: int = 50
    """batches of answers that are learned from"""
    iterations: int = 1
    """optimiser steps a batch"""
    lora: int = 16
    """rank of adapters that learn beside the model; 0: all of the model learns"""
    lr: float = 1e-6
    """learning rate; with --tiny 1e-4 unless another is given"""
    beta: float = 0.01
    """weight of the distance to the model as it began; at 0 a tool that seldom helps at first is
    given up before the model learns when it does"""
    epsilon: float = 0.2
    """ratios of probabilities count up to 1 + ε and down to 1 − ε"""
    epsilon_high: float = 0.0
    """ε above 1 where it differs, such as the paper's 0.3; 0: the same"""
    loss_type: Loss = "grpo"
    """how token losses are averaged, by TRL's names"""
    temperature: float = 1.0
    """of the softmax that answers are drawn from"""
    max_tokens: int = 512
    """of a turn; with --tiny 96 at most"""
    micro: int = 8
    """answers, at most, that pass forward and backward together"""
    clip: float = 1.0
    """largest norm of a gradient; 0: any"""
    save_every: int = 10
    """batches between checkpoints"""
    seed: int = 0
    """of adapters, the order of questions, and answers"""
    resume: bool = False
    """go on with the unfinished run in --out"""
    fresh: FreshOptions = field(default_factory=FreshOptions)

    def __post_init__(self) -> None:
        """Refuse what no run can be made of, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        check_run(self.out, "leave-one-out", self.seed)
        if self.tiny == bool(self.model):
            what = "--tiny is a model of its own." if self.tiny else "No model is given."
            fix = "Give --model FOLDER of a vision-language model, or --tiny for a fresh one."
            raise BadInput(what, "--model", fix)
        if not self.tiny and self.fresh != FreshOptions():
            what = "--fresh shapes a fresh model, and this one has its shape."
            raise BadInput(what, "--fresh", "Leave it out, or take --tiny.")
        if self.tiny and self.data != "charts":
            what = "A fresh model has seen generated charts alone."
            raise BadInput(what, "--data", "Leave it out, or give --model with it.")
        for name, least, most in (("questions", 1, MOST), ("held_out", 0, MOST),
                                  ("longest", 32, 4096), ("lora", 0, MOST_RANK)):  # fmt: skip
            value, option = vars(self)[name], f"--{name.replace('_', '-')}"
            if not least <= value <= most:
                raise BadInput(f"{name} = {value} cannot be.", option, f"Give {least} to {most:,}.")
        if not 0 < self.seconds <= 60:
            raise BadInput(f"seconds = {self.seconds}.", "--seconds", "Give 60 or less, above 0.")


@dataclass(frozen=True)
class AskOptions:
    """Ask a vision-language model about a picture; it may edit it first."""

    image: Annotated[str, tyro.conf.Positional]
    """file of the picture"""
    question: Annotated[str, tyro.conf.Positional]
    """what is asked"""
    model: str = ""
    """run of `tastemaker reinforce vtool`, a folder with a vision-language model, or its name in
    the local Hugging Face cache"""
    tools: bool = False
    """let it edit the picture by code of its own before it answers"""
    boxes: str = ""
    """JSON file of boxes by axis and name; default: what is read in the picture"""
    kind: Literal["auto", "chart", "table"] = "auto"
    """whether boxes are those of a table or of a chart; auto: of the one that more is found of"""
    sandbox: Sandboxes = "monty"
    """where code of the model runs; none stands in for another that is missing"""
    seconds: float = 1.0
    """that code may run"""
    fuzzy: bool = True
    """let a name that no box has stand for the nearest"""
    replaces: bool = False
    """show the edited picture in place of the first, not beside it"""
    longest: int = 1024
    """pixels of a side to which a larger picture is scaled"""
    max_tokens: int = 512
    """of a turn"""
    temperature: float = 0.0
    """of the softmax that is drawn from; 0: the likeliest token is taken"""
    seed: int = 0
    """of what is drawn"""
    out: str = ""
    """HTML page to write; default: ask.html in the current folder"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            BadInput: Naming the option.
        """
        if not self.question.strip():
            raise BadInput("Nothing is asked.", "QUESTION", 'Ask something: "Which is highest?"')
        if not self.model:
            what = "No model that answers about pictures comes with a package."
            fix = (
                "Train one in two minutes, `tastemaker reinforce vtool --tiny --out runs/vtool`, "
                "and give --model runs/vtool; or give a folder with a vision-language model."
            )
            raise BadInput(what, "--model", fix)
        if not self.tools:
            for name, plain in (("boxes", ""), ("replaces", False)):
                if vars(self)[name] != plain:
                    raise BadInput(f"--{name} goes with --tools.", f"--{name}", "Give --tools.")
        self._check_numbers()
        if self.out and Path(self.out).suffix != ".html":
            raise BadInput("The page is no HTML file.", "--out", "Give one, such as ask.html.")

    def _check_numbers(self) -> None:
        if not 32 <= self.longest <= 4096:
            raise BadInput(f"longest = {self.longest}.", "--longest", "Give 32 to 4,096.")
        if self.max_tokens < 1:
            raise BadInput(f"max_tokens = {self.max_tokens}.", "--max-tokens", "Give 1 or more.")
        if not 0 < self.seconds <= 60:
            raise BadInput(f"seconds = {self.seconds}.", "--seconds", "Give 60 or less, above 0.")
        if not 0 <= self.temperature < 1e3:
            what = f"temperature = {self.temperature}."
            raise BadInput(what, "--temperature", "Give 0 or more.")
