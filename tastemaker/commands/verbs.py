"""What a command is: one call, its options, and how the answer is shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from tastemaker.files import JsonObject


@dataclass(frozen=True)
class Verb:
    """What a verb calls, what it reads, and how its answer is shown to a person."""

    call: Callable[[Any], JsonObject]
    options: type[Any]
    show: Callable[[JsonObject], None]
    threads: Callable[[Any], int] | None = None
    """threads that pay for what is asked; None: as many as the process has"""


@dataclass(frozen=True)
class Later:
    """A verb whose options need torch, made when it is asked for."""

    summary: str
    make: Callable[[Sequence[str]], Verb]
    """from the words after the verb"""


@dataclass(frozen=True)
class Nothing:
    """A verb without options."""
