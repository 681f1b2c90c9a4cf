"""Pages of items: which there are, and of one what it is and what goes with it."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.wishes import Wishes
from tastemaker.serve.picture_routes import picture_of
from tastemaker.serve.refusals import Refused
from tastemaker.serve.schemas import HUGE, Share, Words
from tastemaker.serve.service import Service
from tastemaker.serve.web.addresses import InAddress
from tastemaker.serve.web.item_forms import item_forms
from tastemaker.serve.web.item_lists import LISTED, item_lists, named
from tastemaker.serve.web.item_view import ItemViews
from tastemaker.serve.web.moves import placed
from tastemaker.serve.web.per_run import PerRun
from tastemaker.serve.web.templates import page

BESIDE = 15
"""Items that go with one."""


class ItemsQuery(Words):
    """Which items are listed."""

    q: Annotated[str, Field(max_length=200)] = ""
    page: Annotated[int, Field(ge=1, le=HUGE)] = 1


class ItemQuery(Words):
    """What is shown beside an item."""

    relevance: Share | None = None


def item_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)
    views = PerRun(lambda run: ItemViews.of(run.saved, run.pictures))

    @router.get("/items")
    async def items(request: Request, asked: Annotated[ItemsQuery, Query()]) -> HTMLResponse:
        """Items by title, near misses too; without one, what is popular and what is new."""
        run, text = service.run, asked.q.strip()
        hidden = await service.apart(service.store.hidden)
        if text:
            k = min(2 * LISTED, service.limits.k)
            found = await service.apart(lambda: run.saved.browse.search(text, k))
            return page("items.html", request, run, asked=text, hidden=hidden, found=found)
        lists = await service.worker.call(lambda: item_lists(run, asked.page, service.limits.k))
        away = await service.apart(lambda: named(run, sorted(hidden)[:LISTED]))
        return page("items.html", request, run, asked="", hidden=hidden, lists=lists, away=away)

    @router.get("/items/{item}")
    async def item(
        item: InAddress, request: Request, asked: Annotated[ItemQuery, Query()]
    ) -> HTMLResponse:
        """An item, and what goes with it."""
        run = service.run
        run.known_item(item)
        view = await service.apart(lambda: views.of(run).item(item))
        until = await service.apart(lambda: service.store.hidden_until(item))
        answer: Answer | None = None
        problem: BadInput | Refused | None = None
        try:
            wishes = Wishes(min(BESIDE, service.limits.k), relevance=asked.relevance)
            answer = (await service.similar(item, wishes)).answer
        except (BadInput, Refused) as error:
            problem = error
        return page(
            "item.html",
            request,
            run,
            view=view,
            until=until,
            for_good=until == math.inf,
            answer=answer,
            moves=None if answer is None else placed(answer),
            problem=problem,
        )

    @router.get("/items/{item}/picture")
    async def picture(item: InAddress, request: Request) -> Response:
        """A small copy of the picture of an item."""
        return await picture_of(service, request, item)

    router.include_router(item_forms(service))
    return router
