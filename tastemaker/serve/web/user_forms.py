"""What a page changes of a user, by forms: an event more, or everything gone."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tastemaker.errors import BadInput
from tastemaker.serve.refusals import without_query
from tastemaker.serve.service import Service
from tastemaker.serve.web.addresses import InAddress
from tastemaker.serve.web.deed_form import FIELDS, event_of
from tastemaker.serve.web.filters import user_link
from tastemaker.serve.web.forms import form_of, required
from tastemaker.serve.web.meant import meant
from tastemaker.serve.web.origin import same_origin
from tastemaker.serve.web.templates import page
from tastemaker.serve.web.wished import Wished


def user_forms(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(same_origin)])

    @router.post("/users/{user}/events")
    async def add(user: InAddress, request: Request, asked: Annotated[Wished, Query()]) -> Response:
        """Add an event and go back to the list, which shows how it moved.

        Where the item is not clear, it asks which one is meant.
        """
        form, run = await form_of(request, FIELDS), service.run
        text = required(form, "item").strip()
        said = await service.apart(lambda: meant(run, text))
        if said.item is None:
            return page(
                "meant.html",
                request,
                run,
                user=user,
                typed=text,
                near=said.near,
                form=form,
                asked=asked,
            )
        event = event_of(user, said.item.item, form)
        added = await service.append([event])
        if added.erased:
            what = "This was before the user was erased, so it is not kept."
            raise BadInput(what, "time", "Leave the time empty for now.")
        address = f"{user_link(user)}{asked.query(added=event.event_id)}#next"
        return RedirectResponse(address, 303)

    @router.post("/users/{user}/erase", dependencies=[Depends(without_query)])
    async def erase(user: InAddress, request: Request) -> Response:
        """Erase a user and say how much went."""
        required(await form_of(request, ("sure",)), "sure")
        gone = await service.erase(user)
        return RedirectResponse(f"/users?erased={gone.events}", 303)

    return router
