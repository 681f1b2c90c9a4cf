"""Pages of the model: what answers, how well it was measured, and its report."""

from __future__ import annotations

import json
import shlex
from urllib.parse import urlsplit

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tastemaker.serve.opened import SHOWN_METRICS, Opened
from tastemaker.serve.refusals import unknown
from tastemaker.serve.service import Service
from tastemaker.serve.web.measured import TITLES, measured
from tastemaker.serve.web.templates import HEADERS, page

REPORT = "report.html"
_SAID = {"why": "", "warnings": [], "versions": {}, "protocol": {}}
"""What the page shows of the results, where a run has none of it."""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
"""Of the report, which is one file with its style inside, shown in a frame of the model's page."""


def model_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)

    @router.get("/model")
    async def model(request: Request) -> HTMLResponse:
        """The model card."""
        run = service.run
        there = await service.apart((run.saved.path / REPORT).is_file)
        return page(
            "model.html",
            request,
            run,
            frames=there,
            card=run.card(),
            results=_SAID | run.saved.results,
            measured=measured(run.saved.results, run.model),
            metrics=SHOWN_METRICS,
            titles=TITLES,
            example=example(request, run),
            report=there,
        )

    @router.get("/model/report")
    async def report(request: Request) -> Response:
        """The report of the run, as it is."""
        path = service.run.saved.path / REPORT
        try:
            body = await service.apart(path.read_bytes)
        except OSError as error:
            fix = "`tastemaker run` writes one; look at /model."
            raise unknown("This run has no report.", REPORT, fix) from error
        return HTMLResponse(body, 200, {**HEADERS, "Content-Security-Policy": _POLICY})

    return router


def example(request: Request, run: Opened) -> str:
    """A request that the run answers, to be typed into a shell."""
    asked = run.card()["example"]
    base = urlsplit(str(request.base_url))
    words = ["curl", f"{base.scheme}://{base.netloc}{asked['path']}"]
    headers = {"Content-Type": "application/json"}
    if request.scope.get("owner"):
        headers["Authorization"] = "Bearer KEY"
    lines = [shlex.join(words)]
    lines += [shlex.join(["-H", f"{name}: {text}"]) for name, text in headers.items()]
    lines.append(shlex.join(["-d", json.dumps(asked["body"], ensure_ascii=False)]))
    return " \\\n  ".join(lines)
