"""Contestants: who writes and who judges, by the name that a person gives.

A name is that of a baseline, on planted users that of a simulated model or, as a judge, `truth`;
anything else is a language model: a packaged one, a folder or, with a URL, what an endpoint knows.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tastemaker.errors import BadInput
from tastemaker.models.asking import Answers
from tastemaker.models.endpoint import Calling
from tastemaker.models.generate import opened
from tastemaker.models.json_grammar import JsonRows
from tastemaker.models.packaged import PACKAGED
from tastemaker.models.request_cache import Cached
from tastemaker.understand.asked import Judge, Understands
from tastemaker.understand.attempts import Attempts
from tastemaker.understand.baselines import BASELINES, Baseline
from tastemaker.understand.extract import ExtractOptions, LanguageModel
from tastemaker.understand.gistbench import GistOptions
from tastemaker.understand.language_judge import JudgeOptions, LanguageJudge, refuse_self_judging
from tastemaker.understand.planted_judge import PlantedJudge
from tastemaker.understand.simulated import SIMULATED, Simulated
from tastemaker.understand.task import Task

TRUTH = "truth"
"""Name of the judge who knows what was planted."""


@dataclass(frozen=True)
class Entrant:
    """Who takes part, and how a language model is asked."""

    name: str
    url: str = ""
    """of an OpenAI-compatible API"""
    max_tokens: int = 4096
    """most tokens of a reply"""
    thresholds: bool = True
    """whether a model is told how its interests will be checked"""
    shaped: Literal["auto", "yes", "no"] = "auto"
    """whether a model's replies are JSON by construction; auto: those of packaged models"""
    repeats: int = 1
    """replies of a judge to each question, of which the majority counts"""
    calling: Calling = field(default_factory=Calling)
    """how an endpoint is called, and what its tokens cost"""

    @property
    def title(self) -> str:
        """The name as tables show it: of a folder its own name."""
        path = Path(self.name).expanduser()
        return path.resolve().name if path.is_dir() and not self.url else self.name

    @property
    def constrained(self) -> bool:
        """Whether replies are JSON by construction."""
        here = self.name in PACKAGED and not self.url
        return self.shaped == "yes" or (self.shaped == "auto" and here)

    def extract(self, task: Task, options: GistOptions) -> ExtractOptions:
        """How it is asked for interests."""
        return ExtractOptions(
            task.noun,
            self.thresholds,
            chunk=options.chunk,
            max_tokens=self.max_tokens,
            mode=options.mode,
        )

    def judging(self, options: GistOptions) -> JudgeOptions:
        """How it is asked as a judge."""
        attempts = Attempts(
            repeats=self.repeats,
            temperature=0.7 if self.repeats > 1 else 0.0,
            max_tokens=self.max_tokens,
            seed=options.specificity.seed,
            mode=options.mode,
        )
        return JudgeOptions(attempts, options.specificity)


@dataclass(frozen=True)
class Contest:
    """A model, and perhaps a judge."""

    model: Entrant
    judge: Entrant | None = None
    allow_self_judge: bool = False

    def open(
        self, task: Task, options: GistOptions, replies: Path, stack: ExitStack
    ) -> tuple[Understands, Judge | None]:
        """Both of them, ready to be asked.

        Args:
            task: What they are asked about.
            options: How the task is run.
            replies: File that the replies of language models are kept in.
            stack: Lets go of that file.

        Raises:
            BadInput: If one is not there, cannot be asked about this task, or judges itself.
        """
        model = _model(self.model, task, options, replies, stack)
        if self.judge is None:
            return model, None
        judge = _judge(self.judge, task, options, replies, stack)
        refuse_self_judging(model, judge, self.allow_self_judge)
        return model, judge

    @property
    def speaking(self) -> tuple[bool, bool]:
        """Whether model and judge are language models, which are asked and paid for."""
        judge = self.judge is not None and (bool(self.judge.url) or self.judge.name != TRUTH)
        return bool(self.model.url) or not _counted(self.model.name), judge


def _counted(name: str) -> bool:
    return name.replace("-", " ") in (*BASELINES, *SIMULATED)


def _model(
    entrant: Entrant, task: Task, options: GistOptions, replies: Path, stack: ExitStack
) -> Understands:
    name = entrant.name.replace("-", " ")
    if not entrant.url and name in BASELINES:
        return Baseline(name, task)
    if not entrant.url and name in SIMULATED:
        if task.planted is None:
            raise _not_planted(entrant.name, task, f"Baselines: {', '.join(BASELINES)}.")
        return Simulated(name, task.planted, options.chunk, options.mode)
    answers, asked = _kept(entrant, replies, stack), entrant.extract(task, options)
    if entrant.constrained:
        kinds = task.signals.kinds
        return LanguageModel.constrained(answers, entrant.title, task.texts, kinds, asked)
    return LanguageModel(answers, entrant.title, task.texts, asked)


def _judge(
    entrant: Entrant, task: Task, options: GistOptions, replies: Path, stack: ExitStack
) -> Judge:
    if not entrant.url and entrant.name == TRUTH:
        if task.planted is None:
            raise _not_planted(TRUTH, task, "Name a language model, or no judge.")
        return PlantedJudge(task.planted, sizes=options.specificity, mode=options.mode)
    if not entrant.url and _counted(entrant.name):
        fix = f"Give {TRUTH} on planted users, or a language model."
        raise BadInput(f"{entrant.name!r} judges nobody.", "judge", fix)
    answers = _kept(entrant, replies, stack)
    return LanguageJudge(answers, entrant.title, task, entrant.judging(options))


def _kept(entrant: Entrant, replies: Path, stack: ExitStack) -> Answers:
    return _Kept(opened(entrant.name, entrant.url, entrant.calling), replies, stack)


class _Kept(Cached):
    """Kept replies whose file, and that of the same model shaped, is let go with a stack."""

    def __init__(self, answers: Answers, path: Path, stack: ExitStack) -> None:
        super().__init__(answers, path)
        self._stack = stack
        stack.callback(self.close)

    def shaped(self, rows: JsonRows) -> Cached:
        return _Kept(self._behind.shaped(rows), self.path, self._stack)


def _not_planted(name: str, task: Task, fix: str) -> BadInput:
    what = f"{name!r} knows planted users alone, and those of {task.name} are not."
    return BadInput(what, "model", fix)
