"""Which requests came from this server's own pages: no others may change a thing from a browser."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request

from tastemaker.serve.refusals import Refused

_READS = ("GET", "HEAD")


def same_origin(request: Request) -> None:
    """Refuse what another site's page asks for.

    Raises:
        Refused: If it is one, or nothing says that it is none.
    """
    if not from_here(request.method, request.headers):
        what = "Another site's page asked for this, or the browser does not say which did."
        fix = "Do it on the server's own page; programs use the routes under /v1."
        raise Refused(403, what, "Origin", fix)


def from_here(method: str, headers: Mapping[str, str] | Headers) -> bool:
    """Whether a request was made by a page of this server, or by a person alone.

    A browser says so in `Sec-Fetch-Site` where the connection is safe, else in `Origin`; when it
    only reads, it may say nothing.

    Args:
        method: Of the request.
        headers: Of the request, names in small letters.
    """
    site, origin = headers.get("sec-fetch-site"), headers.get("origin")
    if site is not None:
        return site in ("same-origin", "none")
    if origin is not None:
        return bool(headers.get("host")) and _host(origin) == headers["host"].lower()
    return method in _READS


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
