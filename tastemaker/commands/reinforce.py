"""tastemaker reinforce: a language model learns from its own answers."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING

from tastemaker.commands.reinforce_options import RestrainOptions
from tastemaker.commands.reinforce_shown import show_reinforcement
from tastemaker.commands.verbs import Later, Verb
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject, sha256_file

if TYPE_CHECKING:
    from tastemaker.run.reinforce_results import Exercise


def reinforce_restrain(options: RestrainOptions) -> JsonObject:
    """Let a language model learn from its own answers, without labels."""
    from tastemaker.reinforce.answers import AnswerOptions, Answers
    from tastemaker.reinforce.learning import LearningConfig
    from tastemaker.reinforce.reading import Reading
    from tastemaker.reinforce.restrain import RestrainConfig
    from tastemaker.reinforce.signals import SignalConfig
    from tastemaker.run.reinforce import reinforce
    from tastemaker.run.reinforce_results import ReinforceConfig

    given = vars(options)
    names = [one.name for one in fields(LearningConfig) if one.name in given]
    learning = LearningConfig(**{name: given[name] for name in names})
    widths = {name: vars(options.restrain)[name] or None for name in ("sigma", "prompt_sigma")}
    votes = RestrainConfig(**vars(options.restrain) | widths)
    config = ReinforceConfig(
        options.model,
        options.signal,
        options.lora,
        learning,
        SignalConfig(restrain=votes, seed=options.seed),
        options.base_n,
        check_every=options.check_every,
    )
    prompts = _exercise(options.prompts)
    held_out = _exercise(options.held_out) if options.held_out else None
    with Answers(AnswerOptions(exact=options.exact)) as answers:
        read = Reading(answers)
        return reinforce(config, prompts, held_out, read, options.out, options.resume)


def _exercise(name: str) -> Exercise:
    from tastemaker.reinforce.prompts import read_prompts
    from tastemaker.run.reinforce_results import Exercise

    path = Path(name)
    if not path.is_file():
        raise BadInput("There is no such file of prompts.", name, "Give the path of JSON lines.")
    return Exercise(name, read_prompts(path), sha256_file(path))


VERBS: dict[str, Verb | Later] = {
    "reinforce restrain": Verb(reinforce_restrain, RestrainOptions, show_reinforcement),
}
