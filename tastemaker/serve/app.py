"""The application: routes, the door before them, one shape of errors, and its OpenAPI document."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, nullcontext

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Scope

from tastemaker import __version__
from tastemaker.errors import BadInput, TastemakerError
from tastemaker.files import JsonObject
from tastemaker.serve.door import Door
from tastemaker.serve.event_routes import event_routes
from tastemaker.serve.experiment_routes import experiment_routes
from tastemaker.serve.health_routes import health_routes
from tastemaker.serve.item_routes import item_routes
from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.logs import say
from tastemaker.serve.mcp_entry import Entry, installed
from tastemaker.serve.model_routes import model_routes
from tastemaker.serve.picture_routes import picture_routes
from tastemaker.serve.recommendation_routes import recommendation_routes
from tastemaker.serve.refusals import Refused, answer, error_body, malformed, refusal
from tastemaker.serve.service import Service
from tastemaker.serve.user_routes import user_routes
from tastemaker.serve.web.refused_pages import RefusedPages
from tastemaker.serve.web.routes import web_routes

ABOUT = """Learn what people like from what they did.

Every answer names its source: the model and the version of the run, or the fallback and why. Every
error has one shape: what is wrong, where, and what to do. An option without effect is an error.
"""


def create_app(
    service: Service, keys: KeyFile | None = None, hosts: Collection[str] = ()
) -> FastAPI:
    """The application of a service, which it closes when it ends.

    Args:
        service: What answers.
        keys: Who may ask; None: everybody who can reach the server.
        hosts: Names that it may be called by; none: any.
    """
    assistants = Entry(service) if installed() else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with assistants.open() if assistants else nullcontext():
            yield
        service.close()

    app = FastAPI(
        title="Tastemaker",
        version=__version__,
        description=ABOUT,
        lifespan=lifespan,
        docs_url=None,  # its page loads scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
    )
    for routes in (
        event_routes,
        recommendation_routes,
        item_routes,
        picture_routes,
        user_routes,
        model_routes,
        experiment_routes,
        health_routes,
    ):
        app.include_router(routes(service))
    app.include_router(web_routes(service, keys))
    if assistants:
        app.router.routes.append(
            _Noted("/mcp", assistants, methods=["POST"], include_in_schema=False)
        )
    _errors(app)
    _say_how_keys_are_sent(app, needed=keys is not None)
    app.add_middleware(
        Door,
        limits=service.limits,
        keys=keys,
        hosts=frozenset(map(str.lower, hosts)),
        monitoring=service.monitoring,
    )
    app.add_middleware(RefusedPages, service=service)  # around the door, whose refusals it shows
    return app


class _Noted(Route):
    """A route whose path the door can note, as it does for those of FastAPI."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Whether it is asked, and what it adds to the request."""
        match, child = super().matches(scope)
        return match, child if match is Match.NONE else {**child, "route": self}


def _say_how_keys_are_sent(app: FastAPI, needed: bool) -> None:
    """Have the OpenAPI document say how, and whether without a key there is an answer."""
    plain = app.openapi

    def document() -> JsonObject:
        made = plain()
        made["components"]["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        made["security"] = [{"bearer": []}, {"key": []}, *([] if needed else [{}])]
        return made

    app.openapi = document  # type: ignore[method-assign]


def _errors(app: FastAPI) -> None:
    """Have every error leave in one shape."""

    @app.exception_handler(TastemakerError)
    async def told(request: Request, error: TastemakerError) -> Response:
        if not isinstance(error, Refused | BadInput):
            kind = type(error).__name__
            say("unable", logging.WARNING, kind=kind, what=error.what, where=error.where)
        return refusal(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return malformed(error.errors())

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        fix = "See /openapi.json for what there is."
        if error.status_code == 400:  # a body that is no UTF-8, say
            return answer(error_body("The body cannot be read as JSON.", "body", fix), 422)
        body = error_body(f"{error.detail}.", "request", fix)
        return answer(body, error.status_code, error.headers)
