"""Pages from templates: all text in them is text, and a browser loads nothing from elsewhere."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.filters import FILTERS

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: with it a browser sends `Origin: null` with the forms of this very page.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def page(
    template: str,
    request: Request,
    run: Opened,
    *,
    status: int = 200,
    frames: bool = False,
    **values: object,
) -> HTMLResponse:
    """A page as it is sent.

    Args:
        template: File of this folder.
        request: What it answers.
        run: The run that it is about.
        status: Of the answer.
        frames: Whether it embeds another page of this server.
        **values: What it prints; text is escaped.
    """
    first, *further = request.scope["path"].strip("/").split("/")
    values |= {
        "run": run,
        "pictured": run.pictures,
        "section": first,
        "whole_section": not further,
        "status": status,
        "owner": request.scope.get("owner"),
    }
    text = _environment().get_template(template).render(values)
    policy = f"{POLICY}; frame-src 'self'" if frames else POLICY
    # Half a character may stand in a title, and is no UTF-8.
    body = text.encode(errors="replace")
    return HTMLResponse(body, status, {"Content-Security-Policy": policy, **HEADERS})


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("tastemaker.serve.web", "."),
        autoescape=True,
        auto_reload=False,  # code and templates of one process are of one version
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= FILTERS
    return environment
