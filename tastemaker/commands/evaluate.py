"""tastemaker evaluate: a run measured again, compared with another, or how an experiment went."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from rich.text import Text

from tastemaker.commands.experiment_shown import show_experiment
from tastemaker.commands.terminal import Screen, plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import HEADLINE, Positional
from tastemaker.threads import recorded

METRICS = (HEADLINE, "hr@10", "coverage@10")
"""Columns of the table of models."""


@dataclass(frozen=True)
class EvaluateOptions:
    """Evaluate a finished run again, compare it with another, or see how an experiment went."""

    run: Positional
    """run directory"""
    against: str = ""
    """second run directory: paired comparison, user by user"""
    model: str = ""
    """model of the run; default: the one it recommends with"""
    metric: str = ""
    """metric to compare with --against, such as hr@10 or mrr@10; default: ndcg@10"""
    cost: bool = False
    """what a request costs a run of persrec, by the formula and measured, and nothing else"""
    experiment: str = ""
    """name of an experiment that `tastemaker serve RUN --experiment` ran: its arms compared by what
    users did after they were exposed, and nothing else"""
    database: str = ""
    """store with the experiment: a path, or postgresql+psycopg://user@host/name; default:
    RUN.store.sqlite"""
    window: str = ""
    """how long events count after a user's first exposure: 7d, 12h, 30m; default: 7d"""

    def __post_init__(self) -> None:
        """Refuse an option that would be idle.

        Raises:
            BadInput: If there is nothing to compare, or another thing is asked for beside the cost.
        """
        if self.cost and (self.against or self.model):
            what = "The cost of a run is neither compared nor of another model."
            raise BadInput(what, "--cost", "Leave --against and --model out.")
        if self.metric and not self.against:
            what = f"--metric {self.metric} is given, but nothing to compare with."
            raise BadInput(what, "--metric", "Add --against RUN2, or leave --metric out.")
        if self.experiment and (self.cost or self.against or self.model or self.metric):
            what = "An experiment is evaluated alone."
            fix = "Leave --against, --model, --metric and --cost out."
            raise BadInput(what, "--experiment", fix)
        if (self.database or self.window) and not self.experiment:
            name = "--database" if self.database else "--window"
            what = f"{name} is given, but no experiment."
            raise BadInput(what, name, f"Add --experiment NAME, or leave {name} out.")


def evaluate(options: EvaluateOptions) -> JsonObject:
    """Evaluate a finished run again, compare it with another, or see how an experiment went."""
    if options.experiment:
        return _experiment(options)
    from tastemaker.run.compare import compare_runs, evaluate_run

    if options.cost:
        from tastemaker.run.cost import evaluate_cost

        return evaluate_cost(options.run)
    if not options.against:
        return evaluate_run(options.run, options.model)
    metric = options.metric or HEADLINE
    return compare_runs(options.run, options.against, options.model, metric)


def _experiment(options: EvaluateOptions) -> JsonObject:
    from tastemaker.models.extras import extra
    from tastemaker.run.saved import open_run

    with extra("serve"):
        from tastemaker.serve.experiment_results import WINDOW, experiment_summary
        from tastemaker.serve.store import Store, beside_run

    saved = open_run(options.run)
    url = options.database or beside_run(Path(options.run))
    with Store.open(url, create=False) as store:
        window = options.window or WINDOW
        return experiment_summary(store, saved, options.experiment, window)


def show_evaluation(answer: JsonObject) -> None:
    """A row a model: means and 95 % intervals; or a paired comparison."""
    out = screen()
    if "experiment" in answer:
        show_experiment(out, answer)
        return
    if "comparison" in answer:
        _comparison(out, answer["comparison"])
        return
    if "cost" in answer:
        _cost(out, answer["cost"])
        return
    for warning in answer.get("warnings", []):
        out.print(Text("! ", style="bold yellow") + plain(warning))
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("model")
    for name in METRICS:
        table.add_column(name.upper() if "@" in name else name, justify="right")
    for name, metrics in answer["models"].items():
        best = name == answer["best"]
        cells = [_interval(metrics.get(metric)) for metric in METRICS]
        table.add_row(plain(("→ " if best else "  ") + name), *cells, style="bold" if best else "")
    out.print(table)
    out.print(plain(answer["why"]))


def _interval(value: JsonObject | None) -> str:
    if value is None:
        return "–"
    ends = value.get("ci95")
    return f"{value['mean']:.4f}" + (f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else "")


def _comparison(out: Screen, pair: JsonObject) -> None:
    low, high = pair["ci95"]
    out.print(
        plain(
            f"{pair['a']} − {pair['b']}, {pair['metric']}, {counted(pair['users'], 'user')}: "
            f"{pair['difference']:+.4f} [{low:+.4f}, {high:+.4f}], p = {pair['p']:.4f}; "
            f"better for {pair['better']:.1%}, equal {pair['equal']:.1%}, "
            f"worse {pair['worse']:.1%}"
        )
    )


def _cost(out: Screen, cost: JsonObject) -> None:
    """The formula beside what was measured, and what is kept of a user."""
    layout, sides = cost["layout"], (cost["formula"], cost["measured"])
    out.print(plain(
        f"{layout['old']:,} old events in {counted(layout['tokens'], 'token')}, "
        f"{layout['recent']:,} recent ones; scoring the catalogue is left out"
    ))  # fmt: skip
    table = Table(box=None, header_style="dim", pad_edge=False)
    table.add_column("a request")
    table.add_column("multiply-adds", justify="right")
    table.add_column("CPU ms here", justify="right")
    for name in ("full", "cached", "compression"):
        formula, measured = (side[name] for side in sides)
        table.add_row(name, f"{formula:,.0f}", f"{measured:,.2f}")
    for shared in cost["formula"]["amortised"]:
        formula, measured = (side["amortised"][shared] for side in sides)
        row = f"cached, {counted(int(shared), 'request')} a compression"
        table.add_row(row, f"{formula:,.0f}", f"{measured:,.2f}")
    table.add_row("cached / full", *(f"{side['share_of_full']:.1%}" for side in sides))
    out.print(table)
    ends = [f"{side['break_even']:.2f}" if side["break_even"] else "none" for side in sides]
    said = f"{ends[0]} requests by the formula, {ends[1]} measured"
    out.print(plain(f"Compressing pays from {said} a compression."))
    memory = cost["memory"]
    kept, raw = memory["bytes"] / 1024, memory["raw_keys_and_values"] / 1024
    out.print(plain(
        f"Kept of a user: {memory['numbers']:,} numbers, {kept:,.1f} kB in float32; keys and "
        f"values of the old events themselves would be {raw:,.0f} kB."
    ))  # fmt: skip


VERBS: dict[str, Verb | Later] = {
    "evaluate": Verb(evaluate, EvaluateOptions, show_evaluation, lambda asked: recorded(asked.run))
}
