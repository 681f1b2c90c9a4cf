"""Errors of pages as pages: whatever refused a request, a person reads it as HTML.

Routes, the door and the application say what is wrong in one shape, as JSON. Here, around all of
them, that becomes a page where a browser asked for one; programs get the JSON.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tastemaker.serve.service import Service
from tastemaker.serve.web.signing_in import SIGN_IN, local
from tastemaker.serve.web.templates import page

PAGES = frozenset(
    (b"", b"users", b"items", b"search", b"try", b"model", b"web", b"sign-in", b"sign-out")
)
"""How paths of pages begin."""
PROGRAMS = frozenset((b"v1", b"mcp", b"healthz", b"readyz", b"metrics", b"openapi.json"))
"""How paths begin that are for programs, whoever asks."""
_KEPT = ("retry-after", "www-authenticate", "allow")


class RefusedPages:
    """Around an application.

    Args:
        app: What answers.
        service: What the pages are of.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, as ASGI has it."""
        if scope["type"] != "http" or not wants_page(scope):
            await self.app(scope, receive, send)
            return
        refused: Message | None = None
        parts: list[bytes] = []

        async def told(message: Message) -> None:
            nonlocal refused
            if message["type"] == "http.response.start" and _is_error(message):
                refused = message
            elif refused is None:
                await send(message)
            else:
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    await self._show(scope, refused, b"".join(parts))(scope, receive, send)

        await self.app(scope, receive, told)

    def _show(self, scope: Scope, refused: Message, body: bytes) -> ASGIApp:
        error = json.loads(body)["error"]
        if refused["status"] == 404 and "route" not in scope:
            error |= {
                "what": "There is no such page.",
                "where": "",
                "fix": "Check the address.",
            }
        request, run = Request(scope), self.service.run
        if refused["status"] == 401:
            problem = error["what"] if scope["path"] == SIGN_IN else ""
            asked = (
                f"{scope['raw_path'].decode('latin-1')}?{scope['query_string'].decode('latin-1')}"
            )
            after = local(asked.rstrip("?")) if scope["method"] == "GET" else "/"
            response = page("sign_in.html", request, run, status=401, problem=problem, after=after)
        else:
            back = came_from(request)
            status = refused["status"]
            response = page("refused.html", request, run, status=status, back=back, **error)
        headers = Headers(raw=refused["headers"])
        response.headers.update({name: headers[name] for name in _KEPT if name in headers})
        return response


def came_from(request: Request) -> str:
    """The page of ours that a request was made from; empty where none is known, or it is this."""
    before = urlsplit(request.headers.get("referer", ""))
    if before.netloc != request.headers.get("host", "") or before.path == request.url.path:
        return ""
    return local(f"{before.path}?{before.query}".rstrip("?"))


def wants_page(scope: Scope) -> bool:
    """Whether a request is for a page, by how its path begins; of any other, by what it accepts."""
    first = (scope.get("raw_path") or scope["path"].encode()).split(b"/", 2)[1:2]
    name = first[0] if first else b""
    if name in PAGES or name in PROGRAMS:
        return name in PAGES
    return "text/html" in Headers(scope=scope).get("accept", "")


def _is_error(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] >= 400 and kind == "application/json"
