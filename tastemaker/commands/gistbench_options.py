"""What `tastemaker gistbench` can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from tastemaker.errors import BadInput
from tastemaker.options import Positional


@dataclass(frozen=True)
class GistRunOptions:
    """Ask a model for the interests of a task's users, and check them."""

    task: Positional
    """name of a task (`tastemaker gistbench ls`), a file in GISTBench's schema, a folder with one,
    or a data set"""
    model: str = ""
    """who writes interests: a baseline (popularity, echo, counting), on planted users a simulated
    model such as oracle, or a language model: a packaged name, a folder or, with --url, the name
    that the endpoint knows"""
    judge: str = ""
    """who checks them: truth on planted users, or a language model; default: nobody, and cited
    items count as relevant"""
    out: str = ""
    """folder of the run; default: runs/gistbench-TASK-MODEL"""
    mode: Literal["strict", "reference"] = "strict"
    """reference: count as the released program does, to compare with it"""
    limit: int = 0
    """users, the first of the log; 0: all"""
    resume: bool = False
    """go on with the run in --out"""
    url: str = ""
    """OpenAI-compatible API of --model; its key is $TASTEMAKER_LLM_KEY"""
    judge_url: str = ""
    """likewise of --judge"""
    taxonomy: str = ""
    """CSV of category_id,category_name in place of the task's own"""
    oracle: str = ""
    """JSON of what users are known to have, in place of the task's own"""
    chunk: int = 100
    """events of a history that a model reads at once"""
    pool: int = 1000
    """items of the data set that distractors are drawn from"""
    test_size: int = 50
    """items of which a judge picks those that an interest cites"""
    backing: int = 5
    """most cited items among them"""
    max_tokens: int = 4096
    """most tokens of a reply of the model"""
    judge_tokens: int = 1024
    """most tokens of a reply of the judge"""
    repeats: int = 1
    """replies of a judge to each question, of which the majority counts; with several their
    agreement is told"""
    thresholds: bool = True
    """tell the model how its interests will be checked"""
    shaped: Literal["auto", "yes", "no"] = "auto"
    """have the model's replies be JSON by construction; auto: those of packaged models"""
    block: int = 16
    """users that are asked about at once"""
    concurrency: int = 8
    """requests to an endpoint at once"""
    seed: int = 42
    """of everything that is drawn"""
    most_tokens: int = 2_000_000
    """tokens beyond which a run needs --yes; 0: no limit"""
    prompt_price: float = 0.0
    """what a million tokens of a prompt cost"""
    reply_price: float = 0.0
    """what a million tokens of a reply cost"""
    most_cost: float = 0.0
    """cost beyond which a run needs --yes; 0: no limit"""
    yes: bool = False
    """ask whatever it takes"""
    allow_self_judge: bool = False
    """let a language model judge what it wrote itself"""

    def __post_init__(self) -> None:
        """Refuse what would be idle.

        Raises:
            BadInput: If there is no model, or an option speaks of a judge that is not there.
        """
        if not self.model:
            raise BadInput("No model is given.", "--model", "Give --model NAME.")
        if not self.judge and (self.judge_url or self.repeats != 1):
            option = "--judge-url" if self.judge_url else "--repeats"
            raise BadInput(f"{option} is given without a judge.", option, "Give --judge NAME.")


@dataclass(frozen=True)
class ScoreOptions:
    """Score a run again, from its samples alone."""

    run: Positional
    """folder of a run, finished or not"""


@dataclass(frozen=True)
class LeaderboardOptions:
    """Rank runs that may be compared."""

    runs: Annotated[tuple[str, ...], tyro.conf.Positional]
    """folders of runs"""
    html: str = ""
    """write a page with plots"""
    markdown: str = ""
    """write a page in Markdown"""
