"""tastemaker VERB: parsing, printing and exit codes.

Nothing heavy is imported before a verb runs, so help answers at once.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import tyro

from tastemaker import threads
from tastemaker.commands import data, evaluate, models, recommend, run, terminal, tune
from tastemaker.commands.verbs import Later, Verb
from tastemaker.errors import TastemakerError
from tastemaker.train.stopping import Stopped, listening

O = TypeVar("O")  # noqa: E741

VERBS: dict[str, Verb | Later] = {
    **run.VERBS,
    **tune.VERBS,
    **evaluate.VERBS,
    **recommend.VERBS,
    **models.VERBS,
    **data.VERBS,
}


@dataclass(frozen=True)
class Call(Generic[O]):
    """One verb with its options."""

    options: Annotated[O, tyro.conf.arg(name="")]
    json: bool = False
    """print one JSON object on standard output"""
    debug: bool = False
    """show the traceback of an error"""


def main(argv: Sequence[str] | None = None, choose_threads: bool = False) -> int:
    """Run one verb and return the exit code (reliability §5).

    Args:
        argv: Words of the command; None: those of this process.
        choose_threads: Take as many threads as pay; else the process keeps those it has.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        with listening():
            return _main(words, choose_threads)
    except Stopped as stop:
        if os.environ.get("RANK", "0") == "0":  # of several processes the first one speaks
            terminal.error(stop.told(("tastemaker", *words)), "--json" in words)
        return stop.exit_code


def _main(words: list[str], choose_threads: bool) -> int:
    try:
        name, rest = _verb(words)
    except SystemExit as stop:
        return int(stop.code or 0)
    found = VERBS[name]
    verb = found.make(rest) if isinstance(found, Later) else found
    try:
        call = tyro.cli(
            Call[verb.options],  # type: ignore[name-defined]
            args=rest,
            prog=f"tastemaker {name}",
            description=verb.call.__doc__,
        )
    except SystemExit as stop:
        return int(stop.code or 0)
    except TastemakerError as error:  # an option that its class refuses
        terminal.error(error, "--json" in rest)
        return error.exit_code
    return _answer(verb, call, choose_threads)


def _verb(words: list[str]) -> tuple[str, list[str]]:
    """The verb that `words` begin with, and what follows it; prints help otherwise."""
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in VERBS:
            return name, words[length:]
    helps = {"-h", "--help"}
    inside = [name for name in VERBS if words and name.startswith(f"{words[0]} ")]
    asked = bool(words) and words[-1] in helps and (bool(inside) or words[0] in helps)
    wrong = words if words and not inside and not asked else []
    terminal.verbs({name: _summary(VERBS[name]) for name in inside or VERBS}, wrong)
    raise SystemExit(0 if asked else 2)


def _summary(verb: Verb | Later) -> str:
    if isinstance(verb, Later):
        return verb.summary
    return (verb.call.__doc__ or "").splitlines()[0]


def _answer(verb: Verb, call: Any, choose_threads: bool) -> int:
    try:
        if choose_threads and verb.threads:
            threads.take(verb.threads(call.options))
        with terminal.spoken():
            answer = verb.call(call.options)
    except Stopped:
        raise  # for `main`, which knows the words to go on with
    except TastemakerError as error:
        if call.debug:
            traceback.print_exc()
        terminal.error(error, call.json)
        return error.exit_code
    except MemoryError:
        if call.debug:
            traceback.print_exc()
        terminal.error(terminal.out_of_memory(), call.json)
        return 5
    if os.environ.get("RANK", "0") != "0":
        return 0  # of several processes the first one speaks
    if call.json:
        print(json.dumps(answer, ensure_ascii=False, allow_nan=False))
    else:
        verb.show(answer)
    return 0


def console() -> None:
    """Entry point of the installed command."""
    raise SystemExit(main(choose_threads=threads.settle(os.environ)))


if __name__ == "__main__":
    console()
