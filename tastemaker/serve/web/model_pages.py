"""Pages of the model: what answers, how well it was measured, and its report."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tastemaker.serve.service import Service
from tastemaker.serve.web.templates import page


def model_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)

    @router.get("/model")
    async def model(request: Request) -> HTMLResponse:
        """The model card."""
        return page("model.html", request, service.run)

    return router
