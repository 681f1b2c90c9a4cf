"""Words of a command line → options; whatever is wrong with them is one typed error.

An option that would be idle or contradicts another is an error: given twice, given empty, or not
there at all.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass, fields, is_dataclass
from difflib import get_close_matches
from itertools import pairwise
from typing import Annotated, Any, Generic, TypeVar

import tyro

from tastemaker.commands.verbs import Verb
from tastemaker.errors import BadInput

O = TypeVar("O")  # noqa: E741

REPEATABLE = ("--boost", "--only", "--hosts", "--without")
"""Options that may stand there more than once."""
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Call(Generic[O]):
    """One verb with its options."""

    options: Annotated[O, tyro.conf.arg(name="")]
    json: bool = False
    """print one JSON object on standard output"""
    debug: bool = False
    """show the traceback of an error"""


def parse(name: str, verb: Verb, words: Sequence[str]) -> Call[Any]:
    """The options of a verb.

    Args:
        name: The verb as it is called.
        verb: What it reads.
        words: What stands after the verb.

    Raises:
        BadInput: On the first word that is wrong.
        SystemExit: After help was asked for and shown.
    """
    refuse_doubtful(words)
    said = io.StringIO()
    try:
        with redirect_stderr(said):
            call: Call[Any] = tyro.cli(
                Call[verb.options],  # type: ignore[name-defined]
                args=list(words),
                prog=f"tastemaker {name}",
                description=verb.call.__doc__,
            )
    except SystemExit as stop:
        if not stop.code:
            raise
        raise as_error(said.getvalue(), name) from None
    refuse_endless(call.options)
    return call


def nearest(words: Sequence[str], verbs: Sequence[str]) -> str | None:
    """The verb that somebody who wrote `words` most likely meant."""
    for length in (2, 1):
        written = " ".join(words[:length])
        known = [verb for verb in verbs if len(verb.split()) == length]
        rooms = [verb.split()[0] for verb in verbs]
        if near := get_close_matches(written, [*known, *(rooms if length == 1 else ())], n=1):
            return str(near[0])
    return None


def refuse_doubtful(words: Sequence[str]) -> None:
    """Refuse options that are given twice or without anything in them.

    Raises:
        BadInput: Naming the option.
    """
    seen: dict[str, str] = {}
    for word, after in pairwise([*words, "-"]):
        name, given, value = word.partition("=")
        if not name.startswith("--"):
            continue
        if (given and not value) or after == "" == given:
            fix = "Give it a value, or leave the option out."
            raise BadInput(f"{name} is given an empty value.", name, fix)
        plain = re.sub("^--no-", "--", name.replace("_", "-"))
        if plain in seen and plain not in REPEATABLE:
            both = f"{seen[plain]} and {name} contradict each other."
            what = f"{name} is given twice." if seen[plain] == name else both
            raise BadInput(what, name, "Give it once.")
        seen[plain] = name


def refuse_endless(options: Any) -> None:
    """Refuse numbers that are not finite or that no machine can count to.

    Raises:
        BadInput: Naming the option.
    """
    for name, value in _numbers(options):
        if not math.isfinite(value) or abs(value) > LARGEST and isinstance(value, int):
            fix = f"Give a finite number, at most {LARGEST:,}."
            raise BadInput(f"{name} = {value} cannot be used.", f"--{name}", fix)


def _numbers(options: Any, before: str = "") -> Iterator[tuple[str, float]]:
    """Name and value of every number in a nest of options."""
    for option in fields(options):
        value = vars(options)[option.name]
        name = option.name.replace("_", "-")
        if is_dataclass(value):
            yield from _numbers(value, f"{before}{name}.")
        elif isinstance(value, int | float):
            yield before + name, value


def as_error(said: str, name: str) -> BadInput:
    """What the parser says, in a box or under a title, as an error of one paragraph."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", said)
    lines = [line.strip("│ ") for line in text.splitlines() if not line.startswith(("╭", "╰"))]
    parts = re.split(r"^[─-]{5,}$", "\n".join(lines), flags=re.MULTILINE)
    if "╭" not in text and len(parts) > 1:
        parts = parts[1:]  # the title
    what = " ".join(parts[0].split()).removeprefix("Error parsing ")
    hints = "".join(part for part in parts[1:] if part.strip().startswith("Perhaps you meant"))
    near = re.search(r"--[\w.-]+", hints)
    asked = f"`tastemaker {name} --help` lists what there is."
    fix = f"Did you mean {near[0]}? {asked}" if near else asked
    return BadInput(what if what.endswith(".") else f"{what}.", "", fix)
