"""Options that the command shares with the library have one default each, but for lengths."""

from dataclasses import fields
from typing import get_args

import pytest

from tastemaker.commands import reinforce_options as options
from tastemaker.errors import BadInput
from tastemaker.reinforce.learning import LOSSES, LearningConfig
from tastemaker.reinforce.restrain import RestrainConfig
from tastemaker.reinforce.signals import LABEL_FREE, LABELLED

GIVEN = options.RestrainOptions(prompts="p.jsonl")


def test_defaults_are_those_of_the_library() -> None:
    own = vars(GIVEN)
    for one in fields(LearningConfig):
        if one.name in own and one.name != "max_tokens":
            assert own[one.name] == one.default, one.name
    votes = vars(options.VotesOptions()) | {"sigma": None, "prompt_sigma": None}
    assert votes == vars(RestrainConfig())


def test_names_are_those_of_the_library() -> None:
    assert set(get_args(options.Signal)) == {*LABEL_FREE, *LABELLED}
    assert get_args(options.Loss) == LOSSES


@pytest.mark.parametrize(
    ("given", "where"),
    [
        ({}, "--prompts"),
        ({"prompts": "p", "lora": -1}, "--lora"),
        ({"prompts": "p", "base_n": 1}, "--base-n"),
        ({"prompts": "p", "base_n": 10**12}, "--base-n"),
        ({"prompts": "p", "lora": 10**8}, "--lora"),
        ({"prompts": "p", "check_every": -1}, "--check-every"),
        ({"prompts": "p", "seed": -1}, "--seed"),
        ({"prompts": "p", "out": ".."}, "--out"),
    ],
)
def test_what_cannot_be_meant_is_refused(given: dict[str, object], where: str) -> None:
    with pytest.raises(BadInput) as fault:
        options.RestrainOptions(**given)  # type: ignore[arg-type]
    assert fault.value.where == where
