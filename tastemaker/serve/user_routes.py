"""Routes of a user: what they did, what they like, and how to have them forgotten."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from tastemaker.serve.answers import ErasedOut, HistoryOut, source
from tastemaker.serve.listing import user_events
from tastemaker.serve.queries import described, path_id, query_of
from tastemaker.serve.recommendation_routes import check_count
from tastemaker.serve.refusals import answer, unknown, without_query
from tastemaker.serve.schemas import CountQuery, InPath, refusals
from tastemaker.serve.service import Service


def user_routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(tags=["users"])

    @router.get(
        "/v1/users/{user}/history",
        summary="What a user did",
        response_model=HistoryOut,
        openapi_extra=described(CountQuery, "user"),
        responses=refusals(401, 422, 429, 503),
    )
    async def history(request: Request) -> Response:
        """The newest events of a user, the newest first: of the run's log, and told since."""
        user, wished = path_id(request, "user"), query_of(request, CountQuery)
        check_count(wished.k, 0, service.limits)
        return answer(await user_events(service, user, wished.k))

    @router.get(
        "/v1/users/{user}/profile",
        summary="What a user likes",
        response_model=dict[str, Any],
        openapi_extra=described(CountQuery, "user"),
        responses=refusals(401, 404, 422, 429, 503),
    )
    async def profile(request: Request) -> Response:
        """Interests of a user, each with the items that prove it, counted over the run's log."""
        user, wished = path_id(request, "user"), query_of(request, CountQuery)
        check_count(wished.k, 0, service.limits)
        run, told = service.run, await service.told(user)
        found = await service.apart(lambda: run.profile(user, wished.k))
        if not found.known or told.erased is not None:
            fix = "A profile is counted over the log that the run was made of."
            raise unknown("The log of this run does not have this user.", "user", fix)
        if not (found.interests or found.dislikes or found.counts):
            raise unknown(" ".join(found.notes), "profile", "Give the items categories.")
        return answer({"source": source("profile", run.version), **found.to_json()})

    @router.delete(
        "/v1/users/{user}",
        dependencies=[Depends(without_query)],
        summary="Forget a user",
        response_model=ErasedOut,
        responses=refusals(401, 422, 429, 503),
    )
    async def erase(user: InPath) -> Response:
        """Remove every event of a user and all that is kept of them, at once and for good.

        What the run's own log has of them is not used any more. Told again, old events do not come
        back; later ones are a new history.
        """
        gone = await service.erase(user)
        return answer({"user": user, "events": gone.events, "states": gone.states})

    return router
