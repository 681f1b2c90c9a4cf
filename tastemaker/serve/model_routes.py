"""Route of the model card: what answers, how well it was measured, and how to ask it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tastemaker.serve.refusals import answer, without_query
from tastemaker.serve.schemas import refusals
from tastemaker.serve.service import Service


def model_routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(tags=["model"])

    @router.get(
        "/v1/model",
        dependencies=[Depends(without_query)],
        summary="What answers, and how good it is",
        response_model=dict[str, Any],
        responses=refusals(401, 422, 429, 503),
    )
    async def card() -> Response:
        """The model card: data, models, measured numbers with intervals, and an example request."""
        return answer(service.run.card())

    return router
