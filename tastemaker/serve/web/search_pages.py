"""The page of what is found for a text: a user by their id, items by title or id."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tastemaker.serve.listing import by_picture, by_title, user_events
from tastemaker.serve.schemas import Text, Words
from tastemaker.serve.service import Service
from tastemaker.serve.web.templates import page

ITEMS = 30
"""That are listed."""
PICTURES = 12
"""That are shown, where pictures can be searched."""


class FindQuery(Words):
    """What to find."""

    q: Text = Field(description="a user's id, or an item's title or id")


def search_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)

    @router.get("/search")
    async def find(request: Request, wished: Annotated[FindQuery, Query()]) -> HTMLResponse:
        """The user who has this id, and items whose title or id it is or holds."""
        asked, run = wished.q, service.run
        items = await by_title(service, asked, min(ITEMS, service.limits.k), available=False)
        hidden = await service.apart(service.store.hidden)
        looks = None
        if service.looks is not None:
            k = min(PICTURES, service.limits.k)
            looks = (await by_picture(service, service.looks, asked, k, available=False))["items"]
        user = await user_events(service, asked, 1)
        values = {
            "asked": asked,
            "items": items["items"],
            "user_known": user["known"],
            "hidden": hidden,
            "looks": looks,
        }
        return page("search.html", request, run, **values)

    return router
