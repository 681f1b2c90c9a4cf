"""tastemaker run, train: from a log to a finished run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, make_dataclass
from typing import Annotated, Any, Literal

import tyro

from tastemaker.commands.evaluate import show_evaluation
from tastemaker.commands.terminal import beside, plain, screen
from tastemaker.commands.verbs import Later, Verb
from tastemaker.counts import counted
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.options import MODELS, Model, RunOptions, TuneOptions
from tastemaker.seams import Shape
from tastemaker.threads import cores, threads_for
from tastemaker.train.config import FitConfig

LANGUAGE_WIDTH = 384
"""Width of the narrowest packaged language model."""


@dataclass(frozen=True)
class TrainRun(RunOptions):
    """As `run`, but the model is named by the command."""

    model: Annotated[Model, tyro.conf.Fixed, tyro.conf.Suppress] = "sasrec"


@dataclass(frozen=True)
class TrainFit(FitConfig):
    """How to train; the seed is that of the run."""

    seed: Annotated[int, tyro.conf.Fixed, tyro.conf.Suppress] = 0


def run(options: RunOptions) -> JsonObject:
    """Check the data, train, evaluate, and write a report."""
    from tastemaker.run.job import run_recommender

    return run_recommender(options)


def threads_that_pay(model: Shape) -> int:
    """Threads for the training of a model, given its configuration."""
    return threads_for(cores(), LANGUAGE_WIDTH if model.foreign() else model.dim)


def threads_of_default(options: RunOptions | TuneOptions) -> int:
    """Threads for the model that is asked for by name."""
    from tastemaker.recommend.backbones import NEURAL

    return threads_that_pay(NEURAL[options.model].config())


def train(name: str, title: str) -> Later:
    """Every option of a model and of its training."""
    summary = f"Train {title} with every option in reach; else as `tastemaker run`."
    return Later(summary, lambda words: _train(name, summary, words))


def _train(name: str, summary: str, words: Sequence[str]) -> Verb:
    from tastemaker.recommend.backbones import NEURAL
    from tastemaker.run.job import run_recommender

    _refuse_decided(name, words)
    presets = NEURAL[name].presets
    chosen = presets.get(_preset(words), presets["default"])
    says = "options to start from: " + "; ".join(f"{n} ({p.source})" for n, p in presets.items())
    fields = [
        ("run", Annotated[TrainRun, tyro.conf.arg(name="")], TrainRun(model=name)),
        ("preset", Annotated[Literal[tuple(presets)], tyro.conf.arg(help=says)], "default"),
        ("model", type(chosen.model), chosen.model),
        ("fit", TrainFit, TrainFit(**vars(chosen.fit))),
    ]
    options_type = make_dataclass("TrainOptions", fields, frozen=True)

    def call(options: Any) -> JsonObject:
        return run_recommender(options.run, options.model, FitConfig(**vars(options.fit)))

    call.__doc__ = summary
    return Verb(call, options_type, show_run, lambda asked: threads_that_pay(asked.model))


def _refuse_decided(name: str, words: Sequence[str]) -> None:
    """Refuse options that would contradict what decides already.

    Raises:
        BadInput: Naming what decides.
    """
    asked = {word.partition("=")[0] for word in words}
    if "--model" in asked:
        fix = "Name another model there, or leave --model out."
        raise BadInput(f"The command itself names the model: {name}.", "--model", fix)
    if "--fit.seed" in asked:
        raise BadInput("A run has one seed, --seed.", "--fit.seed", "Give --seed.")


def _preset(words: Sequence[str]) -> str:
    """What stands after `--preset`: the defaults of the other options hang on it."""
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--preset":
            return value or "".join(words[place + 1 : place + 2])
    return "default"


def show_run(answer: JsonObject) -> None:
    """Models with intervals, the best one, a user by title, and where the report is."""
    out = screen()
    data, cut = answer["data"], answer["split"]
    out.print()
    out.print(
        plain(
            f"{data['name']}: {counted(data['users'], 'user')}, {counted(data['items'], 'item')}, "
            f"{counted(data['interactions'], 'interaction')}; "
            f"{cut['name']}, {counted(cut['test_users'], 'test user')}"
        )
    )
    show_evaluation(answer)
    for example in answer.get("examples", [])[:1]:
        beside(out, example["history"], example["recommendations"], example["user"])
    out.print()
    out.print(plain(f"Report: {answer['run']}/report.html"), soft_wrap=True)
    out.print(plain(f"Next: tastemaker recommend {answer['run']} --user ID"), soft_wrap=True)
    if answer.get("together"):
        out.print(plain(f"Or: tastemaker similar {answer['run']} --item TITLE"), soft_wrap=True)


VERBS: dict[str, Verb | Later] = {
    "run": Verb(run, RunOptions, show_run, threads_of_default),
    **{f"train {name}": train(name, title) for name, title in MODELS.items()},
}
