"""GISTBench from names to results: open task, model and judge, reckon the cost, run, score."""

from __future__ import annotations

import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tastemaker.counts import counted
from tastemaker.files import JsonObject
from tastemaker.run.folder import only_writer
from tastemaker.train.journal import LOG
from tastemaker.train.stopping import listening
from tastemaker.understand import gistbench_folder, samples
from tastemaker.understand.contestants import Contest
from tastemaker.understand.gistbench import GistOptions, run
from tastemaker.understand.gistbench_cost import reckoned
from tastemaker.understand.gistbench_results import score
from tastemaker.understand.task import Task


@dataclass(frozen=True)
class Spending:
    """How much may be asked without a further yes."""

    most_tokens: int = 2_000_000
    """tokens of prompts and replies; 0: no limit"""
    most_cost: float = 0.0
    """0: no limit"""
    yes: bool = False
    """whether more was agreed to"""


def benchmark(
    task: Task,
    contest: Contest,
    options: GistOptions,
    out: str = "",
    spending: Spending | None = None,
) -> JsonObject:
    """Run a task, or go on with it, and score it.

    Args:
        task: Whom to ask about.
        contest: Who writes and who judges.
        options: How.
        out: Folder; empty: `runs/gistbench-TASK-MODEL`.
        spending: Limits; default: two million tokens.

    Returns:
        The results, with the `folder` and the `estimate` of what was to be asked.

    Raises:
        TastemakerError: With cause and remedy; users who are done are kept for another call with
            `resume`.
    """
    folder = Path(out) if out else _folder(task, contest.model.title)
    spending = spending or Spending()
    done = len(samples.read(folder)) if options.resume else 0
    estimate = reckoned(task, contest, options, done)
    if estimate.requests:
        total = estimate.prompt_tokens + estimate.tokens
        LOG.info("at most about %s, %s tokens", counted(estimate.requests, "request"), f"{total:,}")
    estimate.within(spending.most_tokens, spending.most_cost, spending.yes)

    def said(so_far: int, users: int) -> None:
        LOG.info("%d of %s", so_far, counted(users, "user"))

    with listening(str(folder)), only_writer(folder), ExitStack() as stack:
        replies = folder / gistbench_folder.REPLIES
        model, judge = contest.open(task, options, replies, stack)
        run(task, model, judge, folder, options, said)
        results = score(folder)
    return {**results, "folder": str(folder), "estimate": vars(estimate)}


def _folder(task: Task, model: str) -> Path:
    stem = re.sub(r"[^\w.-]+", "-", f"gistbench-{task.name}-{model}")
    return Path("runs") / stem
