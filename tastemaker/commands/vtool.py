"""tastemaker reinforce vtool and tastemaker ask: looking closer before one answers."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from tastemaker.commands.verbs import Later, Verb
from tastemaker.commands.vtool_options import TINY, AskOptions, VToolOptions
from tastemaker.commands.vtool_shown import show_answer, show_visual
from tastemaker.files import JsonObject

if TYPE_CHECKING:
    from tastemaker.run.vtool import VisualConfig
    from tastemaker.run.vtool_questions import QuestionConfig

_TINY_TOKENS, _TINY_STEPS, _TINY_RATE = 96, 15, 1e-4
_PLAIN_STEPS, _PLAIN_RATE = 50, 1e-6


def reinforce_vtool(options: VToolOptions) -> JsonObject:
    """Let a vision-language model learn when to edit an image before it answers."""
    from tastemaker.run.vtool import reinforce_vtool

    return reinforce_vtool(config_of(options), options.out, options.resume)


def config_of(options: VToolOptions) -> VisualConfig:
    """What the options say, as the library takes it."""
    from tastemaker.models.tiny_tool_vlm import TinyTool
    from tastemaker.reinforce.learning import LearningConfig
    from tastemaker.reinforce.vtool import VToolConfig
    from tastemaker.reinforce.vtool_warm import WarmConfig
    from tastemaker.run.vtool import VisualConfig

    given = vars(options) | (_small(options) if options.tiny else {})
    learning = {one.name: given[one.name] for one in fields(LearningConfig) if one.name in given}
    fresh = options.fresh
    return VisualConfig(
        TINY if options.tiny else options.model,
        0 if options.tiny else options.lora,
        VToolConfig(
            options.train_tool_turn, options.rule, options.sandbox, options.seconds, options.fuzzy,
            LearningConfig(**learning),
        ),
        _questions(options),
        TinyTool(side=fresh.side, dim=fresh.dim, layers=fresh.layers),
        WarmConfig(steps=fresh.steps, seed=options.seed),
    )  # fmt: skip


def _questions(options: VToolOptions) -> QuestionConfig:
    """Which questions; a tiny model is asked easy ones."""
    from tastemaker.run.vtool_questions import QuestionConfig

    made = QuestionConfig(
        options.data, options.questions, options.held_out, options.longest, seed=options.seed
    )
    if not options.tiny:
        return made
    return replace(made, kinds=("v_bar",), templates=("max", "min", "count", "truth"), names=(3, 4))


def _small(options: VToolOptions) -> JsonObject:
    """What a tiny model does with, unless something else is asked for."""
    return {
        "lr": _TINY_RATE if options.lr == _PLAIN_RATE else options.lr,
        "steps": _TINY_STEPS if options.steps == _PLAIN_STEPS else options.steps,
        "max_tokens": min(options.max_tokens, _TINY_TOKENS),
    }


def ask(options: AskOptions) -> JsonObject:
    """Ask a vision-language model about a picture; with --tools it may edit it first."""
    from tastemaker.run.ask import Request, ask

    given = vars(options)
    names = [one.name for one in fields(Request) if one.name in given]
    return ask(Request(**{name: given[name] for name in names}), options.out)


VERBS: dict[str, Verb | Later] = {
    "reinforce vtool": Verb(reinforce_vtool, VToolOptions, show_visual),
    "ask": Verb(ask, AskOptions, show_answer),
}
"""What can be asked of looking closer."""
