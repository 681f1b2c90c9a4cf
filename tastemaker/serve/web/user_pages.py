"""Pages of users: who there is, and of one what they did, what they like and what comes next."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tastemaker.run.wishes import Wishes
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.schemas import HUGE, Words
from tastemaker.serve.service import Service
from tastemaker.serve.web.addresses import InAddress
from tastemaker.serve.web.deed_form import deed_form
from tastemaker.serve.web.elsewhere import Elsewhere, elsewhere
from tastemaker.serve.web.item_lists import named
from tastemaker.serve.web.next_items import NextItems, next_items, without
from tastemaker.serve.web.per_run import PerRun
from tastemaker.serve.web.steering_form import steering_form
from tastemaker.serve.web.tastes import Tastes
from tastemaker.serve.web.templates import page
from tastemaker.serve.web.user_forms import user_forms
from tastemaker.serve.web.user_list import UserLists
from tastemaker.serve.web.user_view import user_view
from tastemaker.serve.web.wished import LISTED, REACH, Wished

_Page = Annotated[int, Field(ge=1, le=HUGE)]


class UserQuery(Wished):
    """What is shown of a user."""

    page: _Page = 1
    added: Annotated[str, Field(max_length=200)] = ""
    """event_id of an event; the list says how it moved for that"""
    others: bool = False
    """whether to say where the other models place the items"""


class UsersQuery(Words):
    """Which users are listed."""

    q: Annotated[str, Field(max_length=1000)] = ""
    page: _Page = 1
    told: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    """page of those told of last"""
    erased: Annotated[int | None, Field(ge=0)] = None
    """events of a user who was just erased"""


def user_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)
    tastes = PerRun(lambda run: Tastes.of(run.saved))
    lists = UserLists(service)

    @router.get("/users")
    async def users(request: Request, asked: Annotated[UsersQuery, Query()]) -> HTMLResponse:
        """Users by how their ids begin; those told of last, and those of the run's log."""
        run = service.run
        found = await service.apart(lambda: lists.of(run, asked.q.strip(), asked.page, asked.told))
        return page("users.html", request, run, found=found, erased=asked.erased)

    @router.get("/users/{user}")
    async def user(
        user: InAddress, request: Request, asked: Annotated[UserQuery, Query()]
    ) -> HTMLResponse:
        """Everything of a user, and what comes next for them."""
        run, told = service.run, await service.told(user)
        groups = await service.apart(lambda: tastes.of(run))
        view = await service.apart(lambda: user_view(run, told, groups, asked.page))
        added = _added(told, asked.added)
        listed, ranks = await _next(service, run, told, asked)
        return page(
            "user.html",
            request,
            run,
            view=view,
            next=listed,
            elsewhere=ranks,
            asked=asked,
            added=added,
            title=named(run, [added.item_id])[0].title if added else "",
            form=deed_form(run),
            steer=steering_form(run, groups),
        )

    router.include_router(user_forms(service))
    return router


async def _next(
    service: Service, run: Opened, told: Told, asked: UserQuery
) -> tuple[NextItems, Elsewhere]:
    """What comes next for a user, how that moved, and where other models place it."""
    k = min(LISTED, service.limits.k)
    reach = min(REACH * k, service.limits.k)
    before = without(told, asked.added) if asked.added else None
    hidden = (await service.offered(Wishes())).hidden
    wishes = replace(asked.wishes(k, because=True), hidden=hidden)
    further = replace(wishes, k=reach, because=False)
    now = Asked(told, wishes, asked.model)
    then = None if before is None else Asked(before, further, asked.model)
    listed = await service.worker.call(lambda: next_items(run, now, then))
    answer = listed.answer
    if answer is None or not asked.others:
        return listed, {}
    return listed, await service.worker.call(lambda: elsewhere(run, now, answer, reach))


def _added(told: Told, event: str) -> Event | None:
    """An event that was told; None: it was not."""
    return next((one for one in told.events if event and one.event_id == event), None)
