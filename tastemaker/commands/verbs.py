"""What a command is: one call, its options, and how the answer is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any


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
