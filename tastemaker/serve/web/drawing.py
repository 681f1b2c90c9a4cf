"""What pages are drawn with: style sheets, a script and an icon, read once, sent as they are."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from tastemaker.serve.refusals import unknown

FILES = {
    "page.css": ("tastemaker.report", "text/css"),
    "web.css": ("tastemaker.serve.web", "text/css"),
    "people.css": ("tastemaker.serve.web", "text/css"),
    "page.js": ("tastemaker.serve.web", "text/javascript"),
    "icon.svg": ("tastemaker.serve.web", "image/svg+xml"),
}
"""Name → package that has it, and its kind; `page.css` is that of the report."""


def drawing_files() -> APIRouter:
    """Routes of these files."""
    router = APIRouter(include_in_schema=False)
    bodies = {name: (files(home) / name).read_bytes() for name, (home, _) in FILES.items()}
    tags = {name: f'"{hashlib.sha256(body).hexdigest()[:16]}"' for name, body in bodies.items()}

    @router.get("/web/{name}")
    async def drawn(name: str, request: Request) -> Response:
        """One of them; nothing, where the browser has it already."""
        if name not in bodies:
            raise unknown(f"There is no file {name!r:.80}.", "path", "Begin at /.")
        headers = {
            "ETag": tags[name],
            "Cache-Control": "no-cache",  # kept, but asked for again whether it is the same
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
        }
        if request.headers.get("if-none-match") == tags[name]:
            return Response(None, 304, headers)
        return Response(bodies[name], 200, headers, FILES[name][1])

    return router
