"""What is refused, and why: every error of the server has one shape, and a status that fits.

`{"error": {"what": …, "where": …, "fix": …}}`: what is wrong, where, and what to do about it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tastemaker.counts import by_count, counted
from tastemaker.data.problems import BadData
from tastemaker.errors import (
    ArtefactError,
    BadInput,
    NumericFault,
    OutOfResources,
    TastemakerError,
    Unavailable,
)
from tastemaker.files import shortened

AGAIN = 1
"""Seconds after which a request that was refused for want of room may be made again."""
_MOST = 2_000
"""Most letters of a sentence."""
_SOON = "Ask again after the seconds in Retry-After."
_STATUS: tuple[tuple[type[TastemakerError], int], ...] = (
    (BadInput, 422),
    (Unavailable, 503),
    (OutOfResources, 503),
    (ArtefactError, 503),
    (NumericFault, 503),
)


_PRIVATE: tuple[tuple[type[TastemakerError], str], ...] = (
    (Unavailable, "The store does not answer now."),
    (OutOfResources, "The server has no room for it."),
    (ArtefactError, "Something that the server keeps is damaged."),
)
"""What is said of what went wrong on the server's own machine: the rest is for its log."""
_LOGGED = "Ask again later; the log of the server says more to who runs it."


class Refused(TastemakerError):
    """A request that is refused for what it is, with the status that says so."""

    def __init__(self, status: int, what: str, where: str = "", fix: str = "") -> None:
        super().__init__(what, where, fix)
        self.status = status


class Busy(Refused):
    """A request for which there is no room now."""

    def __init__(self, status: int, what: str, where: str = "", after: int = AGAIN) -> None:
        super().__init__(status, what, where, _SOON)
        self.after = after


def unknown(what: str, where: str, fix: str) -> Refused:
    """Something that is not there."""
    return Refused(404, what, where, fix)


def error_body(what: str, where: str = "", fix: str = "") -> dict[str, object]:
    """The one shape of an error."""
    parts = {"what": what, "where": where, "fix": fix}
    return {"error": {name: shortened(text, _MOST) for name, text in parts.items()}}


def answer(
    content: object, status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """JSON as it is sent.

    Raises:
        ValueError: If it holds NaN or infinity.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # Half a character may stand in a message about it, and is no UTF-8.
    body = text.encode(errors="replace")
    told = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", **(headers or {})}
    return Response(body, status, told, "application/json")


def status_of(error: TastemakerError) -> int:
    """The status that says what kind of error it is."""
    if isinstance(error, Refused):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def refusal(error: TastemakerError) -> Response:
    """An error as it is sent."""
    headers = {}
    if isinstance(error, Busy):
        headers["Retry-After"] = str(error.after)
    elif isinstance(error, Unavailable | OutOfResources):
        headers["Retry-After"] = str(AGAIN)
    if status_of(error) == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return answer(error_body(*said(error)), status_of(error), headers)


def said(error: TastemakerError) -> tuple[str, str, str]:
    """What is wrong, where, and what to do, as a client may know it."""
    if isinstance(error, BadData):
        first, more = error.problems[0], len(error.problems) - 1
        where = f"event {first.row:,}: {first.column}" if first.row else first.column
        value = f" (value {first.value})" if first.value else ""
        are = by_count(more, "is", "are")
        rest = f" There {are} {counted(more, 'more problem')}." if more else ""
        return f"{first.what[:1].upper()}{first.what[1:]}{value}.{rest}", where, first.fix
    for kind, what in _PRIVATE:
        if isinstance(error, kind):
            return what, "the server", _LOGGED
    # An option of the command line is a field of a request.
    return error.what, error.where.removeprefix("--"), error.fix


def malformed(problems: Sequence[Mapping[str, Any]]) -> Response:
    """What a schema says of a request, as it is sent: the first problem, and how many there are."""
    first = problems[0]
    place = [str(part) for part in first.get("loc", ())]
    name = ".".join(place[1:]) or "".join(place)
    more = f" (and {len(problems) - 1:,} more)" if len(problems) > 1 else ""
    what = f"{name or 'request'}: {first.get('msg', 'cannot be read')}{more}."
    where = place[0] if place else "request"
    if first.get("type") == "json_invalid":
        character = f" at character {place[1]}" if len(place) > 1 else ""
        why = first.get("ctx", {}).get("error", "")
        what = f"The body is no JSON{character}{f': {why}' if why else ''}."
        fix = "Send JSON; /openapi.json has examples."
    elif first.get("type") == "extra_forbidden":
        fix = "Leave it out: it would have no effect. /openapi.json lists what there is."
    else:
        fix = "See /openapi.json for what is taken, with examples."
    return answer(error_body(what, where, fix), 422)


def without_query(request: Request) -> None:
    """Refuse a query where a route takes none.

    Raises:
        Refused: If there is one.
    """
    if request.scope["query_string"]:
        fix = "Leave it out: it would have no effect."
        raise Refused(422, "This route takes no query.", "query", fix)
