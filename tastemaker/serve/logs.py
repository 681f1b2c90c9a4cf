"""What a server writes down of its work: a JSON object a line, nothing about anybody.

No id of a user or an item, no query, no text of a request: a route stands there as it is declared,
`/v1/users/{user}/history`. Of what went wrong unexpectedly the kind of the exception and the lines
of code are kept, not its message, which may quote a request.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import PurePath
from typing import IO

LOG = logging.getLogger("tastemaker.serve")
THEIRS = logging.getLogger("uvicorn.error")
"""What the library of the protocol says; its errors become lines as ours are."""
_DEEP = 12
"""Lines of code that are kept of one exception: the innermost."""


def say(event: str, level: int = logging.INFO, **facts: object) -> None:
    """Write one line.

    Args:
        event: What happened, in a word.
        level: Of `logging`.
        facts: JSON values that say more; none of them may be about a person.
    """
    if LOG.isEnabledFor(level):
        LOG.log(level, event, extra={"facts": facts})


def frames(error: BaseException) -> list[str]:
    """Where in the code an exception was raised, from the outside in."""
    kept = traceback.extract_tb(error.__traceback__)[-_DEEP:]
    return [f"{_short(one.filename)}:{one.lineno} {one.name}" for one in kept]


def _short(file: str) -> str:
    return "/".join(PurePath(file).parts[-3:])


class JsonLines(logging.Formatter):
    """A record as a JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        facts = vars(record).get("facts")
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **(facts if isinstance(facts, Mapping) else {}),
        }
        return json.dumps(line, default=str)


@contextmanager
def written(stream: IO[str] | None = None, level: int = logging.INFO) -> Iterator[None]:
    """While inside, the lines go to a stream; None: standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    logs = (LOG, THEIRS)
    before = [(log.level, log.propagate) for log in logs]
    for log, least in zip(logs, (level, max(level, logging.ERROR)), strict=True):
        log.addHandler(handler)
        log.setLevel(least)
        log.propagate = False
    try:
        yield
    finally:
        for log, (least, passes) in zip(logs, before, strict=True):
            log.removeHandler(handler)
            log.setLevel(least)
            log.propagate = passes
