"""Bodies of routes: JSON that is said to be JSON, each name of an object once.

A parser keeps the last of two values of one name, so the other would have no effect, unseen.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from tastemaker.serve.refusals import Refused

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JsonRoute(APIRoute):
    """A route that reads its body so, where it takes one."""

    def get_route_handler(self) -> Handler:
        """What answers a request."""
        plain = super().get_route_handler()
        if self.body_field is None:
            return plain

        async def handle(request: Request) -> Response:
            body = await request.body()
            if body and not _said_to_be_json(request):
                what = "The body is not said to be JSON."
                fix = "Send the header Content-Type: application/json."
                raise Refused(415, what, "Content-Type", fix)
            read = _Read(request.scope, request.receive)
            with suppress(ValueError):  # what is no JSON the framework says, with its place
                read.told = json.loads(body, object_pairs_hook=_once) if body else None
            return await plain(read if read.told is not None else request)

        return handle


class _Read(Request):
    """A request whose body was parsed."""

    told: Any = None

    async def body(self) -> bytes:
        """Something, so that it is asked for more."""
        return b"{}"

    async def json(self) -> Any:
        """What the body says."""
        return self.told


def _said_to_be_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (
        kind.startswith("application/") and kind.endswith("+json")
    )


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in held if names.count(name) > 1)
        raise Refused(422, f"{twice!r:.80} stands in one object twice.", "body", "Give it once.")
    return held
