"""Every command is one call with options and a way to show the answer."""

import dataclasses

import pytest

from tastemaker.cli import VERBS
from tastemaker.commands.verbs import Later


@pytest.mark.parametrize("name", sorted(VERBS))
def test_a_verb_is_options_a_call_and_a_display(name: str) -> None:
    entry = VERBS[name]
    verb = entry.make([]) if isinstance(entry, Later) else entry
    assert dataclasses.is_dataclass(verb.options)
    assert verb.call.__doc__
    assert verb.show.__doc__
