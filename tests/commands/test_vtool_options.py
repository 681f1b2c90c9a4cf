"""Options of visual tool use have the library's defaults, and refuse what cannot be meant."""

from dataclasses import fields
from typing import get_args

import pytest

from tastemaker.commands import vtool_options as options
from tastemaker.errors import BadInput

pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")

from tastemaker.reinforce.relaxed_answers import RULES
from tastemaker.reinforce.sandbox import SandboxKind


def test_names_and_defaults_are_those_of_the_library() -> None:
    assert get_args(options.Sandboxes) == get_args(SandboxKind)
    assert set(get_args(options.Rules)) == RULES.keys()
    pytest.importorskip("trl", reason="needs tastemaker[rl]")
    from tastemaker.reinforce.vtool import VToolConfig
    from tastemaker.reinforce.vtool_warm import WarmConfig
    from tastemaker.run.ask import Request
    from tastemaker.run.vtool_folder import TINY

    given = vars(options.VToolOptions(tiny=True))
    for one in fields(VToolConfig):
        assert one.name == "learning" or given[one.name] == one.default, one.name
    asked = vars(options.AskOptions("a.png", "Q?", "m"))
    for one in fields(Request)[3:]:
        assert asked[one.name] == one.default, one.name
    assert options.TINY == TINY and options.FreshOptions().steps == WarmConfig().steps


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, "--model"),
        ({"model": "m", "tiny": True}, "--model"),
        ({"model": "m", "fresh": options.FreshOptions(dim=32)}, "--fresh"),
        ({"tiny": True, "data": "q.jsonl"}, "--data"),
        ({"tiny": True, "questions": 0}, "--questions"),
        ({"tiny": True, "held_out": -1}, "--held-out"),
        ({"tiny": True, "longest": 8}, "--longest"),
        ({"tiny": True, "lora": 10**8}, "--lora"),
        ({"tiny": True, "seconds": 0.0}, "--seconds"),
        ({"tiny": True, "seed": -1}, "--seed"),
        ({"tiny": True, "out": ".."}, "--out"),
    ],
)
def test_trainings_that_cannot_be_meant(given: dict[str, object], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        options.VToolOptions(**given)  # type: ignore[arg-type]
    assert fault.value.where == where


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({"model": ""}, "--model"),
        ({"question": " "}, "QUESTION"),
        ({"boxes": "b.json"}, "--boxes"),
        ({"replaces": True}, "--replaces"),
        ({"longest": 5}, "--longest"),
        ({"max_tokens": 0}, "--max-tokens"),
        ({"seconds": 61.0}, "--seconds"),
        ({"temperature": -1.0}, "--temperature"),
        ({"out": "page.txt"}, "--out"),
    ],
)
def test_questions_that_cannot_be_meant(given: dict[str, object], where: str) -> None:
    whole: dict[str, object] = {"image": "a.png", "question": "Q?", "model": "m"} | given
    with pytest.raises(BadInput) as fault:
        options.AskOptions(**whole)  # type: ignore[arg-type]
    assert fault.value.where == where


def test_without_a_model_one_is_told_how_to_train_one() -> None:
    with pytest.raises(BadInput, match="tastemaker reinforce vtool --tiny"):
        options.AskOptions("a.png", "Q?")


def test_a_start_without_steps_is_refused_by_its_option() -> None:
    with pytest.raises(BadInput) as refused:
        options.FreshOptions(steps=0)
    assert refused.value.where == "--fresh.steps"
