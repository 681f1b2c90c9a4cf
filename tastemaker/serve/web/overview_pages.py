"""The first page: how many, how much, how fast, and what is recommended."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tastemaker.serve.service import Service
from tastemaker.serve.web.templates import page


def overview_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def overview(request: Request) -> HTMLResponse:
        """Everything at a glance."""
        return page("overview.html", request, service.run)

    return router
