"""Every route of the page."""

from __future__ import annotations

from fastapi import APIRouter

from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.service import Service
from tastemaker.serve.web.drawing import drawing_files
from tastemaker.serve.web.item_pages import item_pages
from tastemaker.serve.web.model_pages import model_pages
from tastemaker.serve.web.overview_pages import overview_pages
from tastemaker.serve.web.search_pages import search_pages
from tastemaker.serve.web.signing_in import sign_in_pages
from tastemaker.serve.web.try_pages import try_pages
from tastemaker.serve.web.user_pages import user_pages


def web_routes(service: Service, keys: KeyFile | None = None) -> APIRouter:
    """The routes of a service, none of which is in its OpenAPI document.

    Args:
        service: What answers.
        keys: Who may look; None: everybody who can reach the server.
    """
    router = APIRouter(include_in_schema=False)
    for pages in (overview_pages, user_pages, item_pages, try_pages, search_pages, model_pages):
        router.include_router(pages(service))
    router.include_router(sign_in_pages(service, keys))
    router.include_router(drawing_files())
    return router
