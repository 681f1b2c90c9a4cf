"""tastemaker gistbench: does a model understand a user?"""

from __future__ import annotations

from pathlib import Path

from tastemaker.commands import gistbench_data
from tastemaker.commands.gistbench_options import GistRunOptions, LeaderboardOptions, ScoreOptions
from tastemaker.commands.gistbench_shown import show_leaderboard, show_ls, show_results
from tastemaker.commands.verbs import Later, Nothing, Verb
from tastemaker.files import JsonObject, write_text


def gistbench_run(options: GistRunOptions) -> JsonObject:
    """Ask a model what a task's users like, check its evidence, and score it."""
    from tastemaker.models.endpoint import Calling, Prices
    from tastemaker.run.benchmark import Spending, benchmark
    from tastemaker.understand.contestants import Contest, Entrant
    from tastemaker.understand.gistbench import GistOptions
    from tastemaker.understand.specificity import SpecificityOptions
    from tastemaker.understand.tasks import open_task

    taxonomy = Path(options.taxonomy) if options.taxonomy else None
    task = open_task(options.task, taxonomy, Path(options.oracle) if options.oracle else None)
    prices = Prices(options.prompt_price, options.reply_price)
    calling = Calling(options.concurrency, prices=prices)
    model = Entrant(
        options.model,
        options.url,
        options.max_tokens,
        options.thresholds,
        options.shaped,
        calling=calling,
    )
    judge = Entrant(
        options.judge,
        options.judge_url,
        options.judge_tokens,
        repeats=options.repeats,
        calling=calling,
    )
    sizes = SpecificityOptions(options.pool, options.test_size, options.backing, seed=options.seed)
    how = GistOptions(
        options.mode, options.chunk, sizes, options.limit, options.block, options.resume
    )
    contest = Contest(model, judge if options.judge else None, options.allow_self_judge)
    spending = Spending(options.most_tokens, options.most_cost, options.yes)
    return _short(benchmark(task, contest, how, options.out, spending))


def gistbench_ls(options: Nothing) -> JsonObject:
    """Tasks, and the models that need no language model."""
    from tastemaker.understand.baselines import BASELINES
    from tastemaker.understand.simulated import SIMULATED
    from tastemaker.understand.tasks import TASKS

    simulated = [name.replace(" ", "-") for name in SIMULATED]
    return {"tasks": dict(TASKS), "baselines": list(BASELINES), "simulated": simulated}


def gistbench_score(options: ScoreOptions) -> JsonObject:
    """Score a run again from its samples."""
    from tastemaker.understand.gistbench_results import score

    return _short(score(Path(options.run)) | {"folder": options.run})


def gistbench_leaderboard(options: LeaderboardOptions) -> JsonObject:
    """Rank runs; those of another task, oracle, mode or judge stand in a ranking of their own."""
    from tastemaker.understand.leaderboard import leaderboard
    from tastemaker.understand.leaderboard_text import markdown

    board = leaderboard([Path(run) for run in options.runs])
    if options.html:
        from tastemaker.report.leaderboard import render

        write_text(Path(options.html), render(board))
    if options.markdown:
        write_text(Path(options.markdown), markdown(board))
    return board


def _short(results: JsonObject) -> JsonObject:
    return {name: value for name, value in results.items() if name != "per_user"}


VERBS: dict[str, Verb | Later] = {
    "gistbench run": Verb(gistbench_run, GistRunOptions, show_results),
    "gistbench ls": Verb(gistbench_ls, Nothing, show_ls),
    "gistbench score": Verb(gistbench_score, ScoreOptions, show_results),
    "gistbench leaderboard": Verb(gistbench_leaderboard, LeaderboardOptions, show_leaderboard),
    **gistbench_data.VERBS,
}
