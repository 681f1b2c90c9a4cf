"""Every command is one call with options and a way to show the answer."""

import dataclasses
from typing import get_type_hints

import pytest

from tastemaker.cli import VERBS
from tastemaker.commands.parsing import REPEATABLE
from tastemaker.commands.verbs import Later
from tastemaker.options import Repeatable


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verb_is_options_a_call_and_a_display(name: str) -> None:
    entry = VERBS[name]
    verb = entry.make([]) if isinstance(entry, Later) else entry
    assert dataclasses.is_dataclass(verb.options)
    assert verb.call.__doc__
    assert verb.show.__doc__


def test_every_option_that_may_be_given_again_is_let_through() -> None:
    repeatable = set()
    for entry in VERBS.values():
        verb = entry.make([]) if isinstance(entry, Later) else entry
        hints = get_type_hints(verb.options, include_extras=True)
        repeatable |= {f"--{name}" for name, hint in hints.items() if hint == Repeatable}
    assert repeatable == set(REPEATABLE)
