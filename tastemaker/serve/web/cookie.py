"""A key in a cookie: a browser sends no header of its own.

Scripts cannot read it, other sites' pages cannot have it sent, and the server keeps nothing.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.types import Scope

from tastemaker.serve.web.origin import from_here

COOKIE = "tastemaker"
"""Its name."""


def cookie_of(key: bytes) -> str:
    """The value that carries a key, whatever letters it has."""
    return urlsafe_b64encode(key).decode()


def key_in_cookie(scope: Scope) -> bytes:
    """The key that a browser sent; nothing where it sent none, or another site's page asks."""
    headers = Headers(scope=scope)
    sent = cookie_parser(headers.get("cookie", "")).get(COOKIE, "")
    if not sent or not from_here(scope["method"], headers):
        return b""
    try:
        return urlsafe_b64decode(sent)
    except ValueError:
        return b""
