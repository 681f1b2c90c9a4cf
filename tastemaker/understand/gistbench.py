"""GISTBench: ask a model about every user of a task, have the answers judged, and keep it all.

A run is a folder: `config.json` says who was asked about what and how, `samples.jsonl` has a line a
user, written when the user is done. Who interrupts a run goes on with it, and nobody is asked
again; a folder of another run is refused. A user of whom nothing can be had is a record that says
why, is scored 0 and stops nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tastemaker.config import to_json
from tastemaker.data.categories import fold
from tastemaker.data.signals import CHUNK, UserSignals
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.understand import samples
from tastemaker.understand.asked import Call, Judge, Judged, Understands, Written
from tastemaker.understand.extracted import Extracted
from tastemaker.understand.gistbench_folder import header, opened, oracle_of
from tastemaker.understand.interests import Interest, Mode
from tastemaker.understand.language_judge import LanguageJudge
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.samples import Sample
from tastemaker.understand.specificity import SpecificityOptions
from tastemaker.understand.task import Task
from tastemaker.understand.taxonomy import OTHER

_FAULTS = (ArithmeticError, LookupError, TypeError, ValueError, RecursionError)
"""What a model or judge may raise over one user without stopping a run."""

Progress = Callable[[int, int], None]
"""Told how many users are done, of how many."""


@dataclass(frozen=True)
class GistOptions:
    """How a task is run; models and judges are made with the same."""

    mode: Mode = "strict"
    """strict, or reference: as the released program counts"""
    chunk: int = CHUNK
    """events of a history that a model reads at once"""
    specificity: SpecificityOptions = field(default_factory=SpecificityOptions)
    """sizes of pool and line-ups, and the seed of all that is drawn"""
    limit: int = 0
    """users, the first of the log; 0: all"""
    block: int = 16
    """users that are asked about at once; changes no result"""
    resume: bool = False
    """go on with the run in the folder"""

    def __post_init__(self) -> None:
        """Refuse numbers that cannot be used.

        Raises:
            BadInput: Naming the option.
        """
        for name, value, least in (
            ("chunk", self.chunk, 1),
            ("limit", self.limit, 0),
            ("block", self.block, 1),
        ):
            if value < least:
                raise BadInput(f"{name} = {value} is out of range.", name, f"Use {least} or more.")

    @property
    def settled(self) -> JsonObject:
        """Those that decide a result."""
        free = ("limit", "block", "resume")
        return {name: value for name, value in to_json(self).items() if name not in free}


def run(
    task: Task,
    model: Understands,
    judge: Judge | None,
    out: Path,
    options: GistOptions | None = None,
    progress: Progress | None = None,
) -> Path:
    """Ask about every user that is not in the folder yet.

    Args:
        task: Whom to ask about.
        model: Who writes interests.
        judge: Who checks them; None: the cited items count as relevant and nothing is picked.
        out: Folder of the run, made where there is none.
        options: How; default: as the paper.
        progress: Called before the first user and after each block.

    Returns:
        The folder.

    Raises:
        BadInput: If the folder holds another run, or one that is not resumed; says what differs.
    """
    options = options or GistOptions()
    done = opened(out, header(task, model, judge, options.settled), options.resume)
    users = list(task.users(options.limit or None))
    oracle = oracle_of(task)
    known = _named(done)
    left = [user for user in users if user.user not in {one.user for one in done}]
    said = progress or (lambda done, users: None)
    said(len(users) - len(left), len(users))
    for start in range(0, len(left), options.block):
        block = left[start : start + options.block]
        for one in _asked(block, model, judge, oracle):
            samples.add(out, one.sample(task, judge, oracle, known))
        said(len(users) - len(left) + start + len(block), len(users))
    return out


@dataclass(frozen=True)
class _Answer:
    """What was answered of one user; nobody is asked about a user whom the oracle lacks."""

    user: UserSignals
    written: Written | None = None
    judged: Judged | None = None
    problem: str = ""

    def sample(
        self, task: Task, judge: Judge | None, oracle: Oracle | None, known: dict[str, int]
    ) -> Sample:
        """The record of the user; categories of new names are added to `known`."""
        if self.written is None:
            return Sample(self.user.user, len(self.user.events), self.user.kinds, excluded=True)
        names = [one.name for one in self.written.extracted.interests]
        before = len(_category_calls(judge))
        try:
            categories, problem = _categories(names, task, judge, known), self.problem
        except _FAULTS as error:
            categories, problem = [OTHER] * len(names), self.problem or _told(error)
        own = oracle.users[self.user.user] if oracle else None
        made = samples.sample(self.user, self.written, categories, self.judged, own)
        calls = (*made.judge_calls, *_category_calls(judge)[before:])
        return replace(made, judge_problem=problem, judge_calls=calls)


def _category_calls(judge: Judge | None) -> Sequence[Call]:
    """What a language model was asked of categories so far."""
    return judge.category_calls if isinstance(judge, LanguageJudge) else ()


def _asked(
    block: Sequence[UserSignals], model: Understands, judge: Judge | None, oracle: Oracle | None
) -> list[_Answer]:
    """Answers about some users, in their order."""
    users = [user for user in block if oracle is None or user.user in oracle.users]
    written = _written(users, model)
    interests = [one.extracted.interests for one in written]
    judged = _judged(users, interests, judge)
    found = {
        user.user: _Answer(user, one, *verdict)
        for user, one, verdict in zip(users, written, judged, strict=True)
    }
    return [found.get(user.user, _Answer(user)) for user in block]


def _written(users: Sequence[UserSignals], model: Understands) -> list[Written]:
    """What a model writes; where it fails over several, each is asked alone."""
    if not users:
        return []
    try:
        return model.write(users)
    except _FAULTS as error:
        if len(users) == 1:
            return [Written(Extracted((), problem=_told(error)))]
        return [one for user in users for one in _written([user], model)]


def _judged(
    users: Sequence[UserSignals], interests: Sequence[Sequence[Interest]], judge: Judge | None
) -> list[tuple[Judged | None, str]]:
    """What a judge says, and what failed; likewise."""
    if judge is None or not users:
        return [(None, "")] * len(users)
    try:
        return [(one, "") for one in judge.judge(users, interests)]
    except _FAULTS as error:
        if len(users) == 1:
            nothing = (None,) * len(interests[0])
            return [(Judged(nothing, nothing), _told(error))]
        pairs = zip(users, interests, strict=True)
        return [one for user, own in pairs for one in _judged([user], [own], judge)]


def _categories(
    names: Sequence[str], task: Task, judge: Judge | None, known: dict[str, int]
) -> list[int | str]:
    """c(j): the judge is asked for each name once in a run.

    Without a judge a name is the category that is called so, or one of its own.
    """
    if task.taxonomy is None:
        return [fold(name) for name in names]
    if judge is None:
        return [task.taxonomy.number(name) or fold(name) for name in names]
    new = list({fold(name): name for name in names if fold(name) not in known}.values())
    if new:
        known.update(zip(map(fold, new), judge.categories(new), strict=True))
    return [known[fold(name)] for name in names]


def _named(done: Sequence[Sample]) -> dict[str, int]:
    """Folded name → category, of what was asked before."""
    return {
        fold(one.name): one.category
        for each in done
        for one in each.interests
        if isinstance(one.category, int) and not each.judge_problem
    }


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"[:500]
