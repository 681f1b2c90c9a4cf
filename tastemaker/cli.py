"""tastemaker VERB: parsing, printing and exit codes.

Nothing heavy is imported before a verb runs, so help answers at once.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence

from tastemaker import __version__, threads
from tastemaker.commands import (
    data,
    embed,
    evaluate,
    federate,
    gistbench,
    models,
    profile,
    recommend,
    reinforce,
    run,
    serve,
    similar,
    store,
    terminal,
    tune,
    update,
    video,
    vtool,
)
from tastemaker.commands.parsing import nearest, parse
from tastemaker.commands.verbs import Later, Verb
from tastemaker.errors import BadInput, TastemakerError
from tastemaker.train.stopping import Stopped, listening

VERBS: dict[str, Verb | Later] = {
    **run.VERBS,
    **tune.VERBS,
    **evaluate.VERBS,
    **recommend.VERBS,
    **similar.VERBS,
    **profile.VERBS,
    **serve.VERBS,
    **update.VERBS,
    **gistbench.VERBS,
    **embed.VERBS,
    **reinforce.VERBS,
    **vtool.VERBS,
    **federate.VERBS,
    **video.VERBS,
    **models.VERBS,
    **data.VERBS,
    **store.VERBS,
}

CLOSED_PIPE = 141
"""Exit code when the reader of the output has gone: 128 + SIGPIPE."""


def main(argv: Sequence[str] | None = None, choose_threads: bool = False) -> int:
    """Run one verb and return the exit code (reliability §5).

    Args:
        argv: Words of the command; None: those of this process.
        choose_threads: Take as many threads as pay; else the process keeps those it has.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    debug, as_json = "--debug" in words, "--json" in words
    try:
        with listening():
            return _run(words, choose_threads)
    except SystemExit as stop:  # help was shown
        return int(stop.code or 0)
    except BrokenPipeError:
        raise
    except Stopped as stop:
        told = stop.told(("tastemaker", *words))
        return _fail(told, debug, as_json) if _first() else stop.exit_code
    except TastemakerError as error:
        return _fail(error, debug, as_json)
    except (MemoryError, RuntimeError, OSError) as error:
        fault = terminal.understood(error)
        if fault is None:
            raise
        return _fail(fault, debug, as_json)


def _first() -> bool:
    """Of several processes the first one speaks."""
    return os.environ.get("RANK", "0") == "0"


def _run(words: list[str], choose_threads: bool) -> int:
    if words in (["--version"], ["-V"]):
        print(f"tastemaker {__version__}")
        return 0
    name, rest = _verb(words)
    entry = VERBS[name]
    verb = entry.make(rest) if isinstance(entry, Later) else entry
    call = parse(name, verb, rest)
    if choose_threads and verb.threads:
        threads.take(verb.threads(call.options))
    with terminal.spoken():
        answer = verb.call(call.options)
    if not _first():
        return 0
    if call.json:
        print(terminal.json_line(answer))
    else:
        verb.show(answer)
    return 0


def _fail(error: TastemakerError, debug: bool, as_json: bool) -> int:
    if debug:
        traceback.print_exc()
    terminal.error(error, as_json)
    return error.exit_code


def _verb(words: list[str]) -> tuple[str, list[str]]:
    """The verb that `words` begin with, and what follows it.

    Raises:
        BadInput: If there is no such verb.
        SystemExit: After the verbs were shown, where there is none or help is asked for.
    """
    for length in (2, 1):
        name = " ".join(words[:length])
        if name in VERBS:
            return name, words[length:]
    helps = {"-h", "--help"}
    inside = [name for name in VERBS if words and name.startswith(f"{words[0]} ")]
    rest = words[1:] if inside else words
    asked = bool(rest) and rest[0] in helps
    if rest and not asked:
        near = nearest(words, list(VERBS))
        known = ", ".join(inside or VERBS)
        fix = f"Did you mean `tastemaker {near}`?" if near else f"There are: {known}."
        raise BadInput(f"There is no command {' '.join(words[:2])!r}.", "", fix)
    terminal.verbs({name: _summary(VERBS[name]) for name in inside or VERBS})
    raise SystemExit(0 if asked else 2)


def _summary(verb: Verb | Later) -> str:
    if isinstance(verb, Later):
        return verb.summary
    return (verb.call.__doc__ or "").splitlines()[0]


def console(call: Callable[[], int] | None = None) -> None:
    """Entry point of the installed command; ends quietly when nobody reads on."""
    try:
        code = call() if call else main(choose_threads=threads.settle(os.environ))
        sys.stdout.flush()
    except BrokenPipeError:
        # What is still to be written at exit must go somewhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = CLOSED_PIPE
    raise SystemExit(code)


if __name__ == "__main__":
    console()
