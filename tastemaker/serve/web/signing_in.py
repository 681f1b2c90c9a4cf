"""Signing in: a browser sends no header of its own, so a cookie carries the key.

Scripts cannot read it, other sites' pages cannot have it sent, and the server keeps nothing.
"""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.refusals import Refused
from tastemaker.serve.service import Service
from tastemaker.serve.web.cookie import COOKIE, cookie_of
from tastemaker.serve.web.forms import form_of, required
from tastemaker.serve.web.origin import same_origin
from tastemaker.serve.web.templates import page

SIGN_IN = "/sign-in"
AWAY = "/sign-out"


def sign_in_pages(service: Service, keys: KeyFile | None) -> APIRouter:
    """The page to sign in at, where keys are needed."""
    router = APIRouter(include_in_schema=False)
    if keys is None:
        return router

    @router.get(SIGN_IN)
    async def ask(request: Request) -> HTMLResponse:
        """A field for the key."""
        return page("sign_in.html", request, service.run, problem="", after="/")

    @router.post(SIGN_IN, dependencies=[Depends(same_origin)])
    async def sign_in(request: Request) -> Response:
        """Give the browser a cookie, if the key is one."""
        form = await form_of(request, ("key", "after"))
        key = required(form, "key").strip().encode()
        if keys.owner_of(key) is None:
            raise Refused(401, "This is no key of this server.", "key", "Check it, or ask for one.")
        done = RedirectResponse(local(form.get("after", "/")), 303)
        secure = request.url.scheme == "https"
        value = cookie_of(key)
        done.set_cookie(COOKIE, value, secure=secure, httponly=True, samesite="strict")
        return done

    @router.post(AWAY, dependencies=[Depends(same_origin)])
    async def sign_out(request: Request) -> Response:
        """Take the cookie away."""
        await form_of(request, ())
        done = RedirectResponse(SIGN_IN, 303)
        done.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return done

    return router


def local(address: str) -> str:
    """An address of this server; the first page for any other."""
    inside = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if inside and address.isprintable() and address.isascii() else "/"
