"""The page of somebody new: any history, put together by title, and what comes next after it.

The history stands in the address alone; nothing of it is kept.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tastemaker.errors import BadInput
from tastemaker.run.events import Event as Given
from tastemaker.run.wishes import Wishes
from tastemaker.serve.opened import Asked
from tastemaker.serve.service import Service
from tastemaker.serve.web.item_lists import named
from tastemaker.serve.web.meant import Meant, meant
from tastemaker.serve.web.next_items import next_items
from tastemaker.serve.web.per_run import PerRun
from tastemaker.serve.web.steering_form import steering_form
from tastemaker.serve.web.tastes import Tastes
from tastemaker.serve.web.templates import page
from tastemaker.serve.web.wished import LISTED, REACH, Wished

MOST = 50
"""Items of a history: it has to fit into an address."""


class TryQuery(Wished):
    """A history, and what is wished."""

    item: Annotated[list[Annotated[str, Field(max_length=1000)]], Field(max_length=MOST)] = []
    q: Annotated[str, Field(max_length=200)] = ""
    """title of an item to add"""


def try_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)
    tastes = PerRun(lambda run: Tastes.of(run.saved))

    @router.get("/try")
    async def attempt(request: Request, asked: Annotated[TryQuery, Query()]) -> HTMLResponse:
        """A history as it stands in the address, and the list after it."""
        run, text = service.run, asked.q.strip()
        said = await service.apart(lambda: meant(run, text)) if text else Meant(None, ())
        items = list(dict.fromkeys(asked.item))
        if said.item is not None and said.item.item not in items:
            items.append(said.item.item)
        if len(items) > MOST:
            raise BadInput(f"{MOST} items are the most.", "item", "Take some out.")
        history = await service.apart(lambda: named(run, items))
        groups = await service.apart(lambda: tastes.of(run))
        k = min(LISTED, service.limits.k)
        hidden = (await service.offered(Wishes())).hidden
        wishes = replace(asked.wishes(k, because=len(items) > 1), hidden=hidden)
        chosen = tuple(map(Given, items))
        now = Asked(chosen, wishes, asked.model)
        then = None
        if said.item is not None and len(items) > 1:
            further = replace(wishes, k=min(REACH * k, service.limits.k), because=False)
            then = Asked(chosen[:-1], further, asked.model)
        listed = await service.worker.call(lambda: next_items(run, now, then))
        return page(
            "try.html",
            request,
            run,
            history=history,
            near=() if said.item else said.near,
            typed=text if said.item is None else "",
            next=listed,
            asked=asked,
            steer=steering_form(run, groups),
        )

    return router
