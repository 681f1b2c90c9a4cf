"""Routes for who runs the server: is it alive, can it answer, how does it fare."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tastemaker.serve.monitoring import CONTENT_TYPE
from tastemaker.serve.refusals import answer, without_query
from tastemaker.serve.schemas import refusals
from tastemaker.serve.service import Service


def health_routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(tags=["health"])

    @router.get(
        "/healthz",
        dependencies=[Depends(without_query)],
        summary="Is it alive?",
        response_model=dict[str, str],
    )
    async def healthy() -> Response:
        """Answers as long as the process does; needs no key."""
        return answer({"status": "alive"})

    @router.get(
        "/readyz",
        dependencies=[Depends(without_query)],
        summary="Can it answer?",
        response_model=dict[str, str],
        responses=refusals(503),
    )
    async def ready() -> Response:
        """Whether the run is open and the store answers; needs no key."""
        await service.ready()
        return answer({"status": "ready", "version": service.run.version})

    @router.get(
        "/metrics",
        dependencies=[Depends(without_query)],
        summary="Numbers for Prometheus",
        responses=refusals(401, 429),
    )
    async def metrics() -> Response:
        """Requests, latency, events, and which run answers."""
        return Response(service.monitoring.page(), media_type=CONTENT_TYPE)

    return router
