"""What a page changes of an item: whether it is offered, by forms."""

from __future__ import annotations

import time

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tastemaker.errors import BadInput
from tastemaker.serve.refusals import without_query
from tastemaker.serve.service import Service
from tastemaker.serve.web.addresses import InAddress
from tastemaker.serve.web.filters import item_link
from tastemaker.serve.web.forms import form_of
from tastemaker.serve.web.origin import same_origin
from tastemaker.serve.web.times import time_of


def item_forms(service: Service) -> APIRouter:
    """The routes of a service."""
    checks = [Depends(same_origin), Depends(without_query)]
    router = APIRouter(include_in_schema=False, dependencies=checks)

    @router.post("/items/{item}/hide")
    async def hide(item: InAddress, request: Request) -> Response:
        """Offer an item to nobody, for good or until a time, and go back to it."""
        form = await form_of(request, ("until",))
        until = time_of(form["until"], "until") if "until" in form else None
        if until is not None and until <= time.time():
            raise BadInput("This time has passed already.", "until", "Give a later one, in UTC.")
        service.run.known_item(item)
        await service.hide(item, until)
        return RedirectResponse(item_link(item), 303)

    @router.post("/items/{item}/offer")
    async def offer(item: InAddress, request: Request) -> Response:
        """Offer an item again, and go back to it."""
        await form_of(request, ())
        await service.unhide(item)
        return RedirectResponse(item_link(item), 303)

    return router
