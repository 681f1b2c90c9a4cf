"""tastemaker tune: random search on validation."""

from __future__ import annotations

from rich.table import Table

from tastemaker.commands.run import show_run, threads_of_default
from tastemaker.commands.terminal import plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.files import JsonObject
from tastemaker.options import TuneOptions


def tune(options: TuneOptions) -> JsonObject:
    """Search a model's options on validation; counting models have as many trials."""
    from tastemaker.run.tune import tune_model

    return tune_model(options)


def show_tuned(results: JsonObject) -> None:
    """A row a model: trials, validation before and after, settings; then the tuned run."""
    out = screen()
    table = Table(box=None, header_style="dim", pad_edge=False)
    for name in ("model", "trials", "NDCG@10 on validation", "settings"):
        table.add_column(name)
    for name, search in results["tuned"].items():
        first = "failed" if search["first"] is None else f"{search['first']:.4f}"
        settings = ", ".join(f"{key} {value}" for key, value in search["settings"].items())
        values = f"{first} → {search['best']:.4f}"
        table.add_row(plain(name), str(search["trials"]), values, plain(settings or "as they were"))
    out.print(table)
    show_run(results)
    out.print(plain(f"Trials: {results['trials']}"), soft_wrap=True)


VERBS: dict[str, Verb | Later] = {"tune": Verb(tune, TuneOptions, show_tuned, threads_of_default)}
