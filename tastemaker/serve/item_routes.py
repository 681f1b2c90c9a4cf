"""Routes of items: what goes with one, how to find one, what is popular or new, what is hidden."""

from __future__ import annotations

import time
from collections.abc import Callable

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.browsing import Browsing
from tastemaker.run.wishes import Wishes
from tastemaker.serve.answers import BesideOut, ItemOut, ItemsOut, NamedOut, items_of
from tastemaker.serve.json_bodies import JsonRoute
from tastemaker.serve.listing import beside_item, by_title
from tastemaker.serve.queries import described, path_id, query_of
from tastemaker.serve.recommendation_routes import check_count, wishes_of
from tastemaker.serve.refusals import answer, without_query
from tastemaker.serve.schemas import (
    InPath,
    ItemIn,
    ListQuery,
    SearchQuery,
    SimilarQuery,
    refusals,
)
from tastemaker.serve.service import Service


def item_routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(tags=["items"], route_class=JsonRoute)

    @router.get(
        "/v1/items/{item}/similar",
        summary="What goes with an item",
        response_model=BesideOut,
        openapi_extra=described(SimilarQuery, "item"),
        responses=refusals(401, 404, 422, 429, 503),
    )
    async def similar(request: Request) -> Response:
        """The best items beside one: by what people also choose, by what is similar, or between."""
        item, wished = path_id(request, "item"), query_of(request, SimilarQuery)
        wishes = wishes_of(wished, service.limits, relevance=wished.relevance)
        ranked = await service.similar(item, wishes, wished.available)
        return answer(beside_item(ranked, wished.scores))

    @router.get(
        "/v1/items",
        summary="Find an item by its title",
        response_model=NamedOut,
        openapi_extra=described(SearchQuery),
        responses=refusals(401, 422, 429, 503),
    )
    async def search(request: Request) -> Response:
        """Items whose title holds the words; where none does, those whose title is nearest."""
        wished = query_of(request, SearchQuery)
        check_count(wished.k, 0, service.limits)
        return answer(await by_title(service, wished.q, wished.k, wished.available))

    @router.get(
        "/v1/popular",
        summary="What is popular",
        response_model=ItemsOut,
        openapi_extra=described(ListQuery),
        responses=refusals(401, 422, 429, 503),
    )
    async def popular(request: Request) -> Response:
        """Items that most people chose."""
        wished = query_of(request, ListQuery)
        return await _browsed(service, wished, lambda browse: browse.popular, scores=True)

    @router.get(
        "/v1/latest",
        summary="What is new",
        response_model=ItemsOut,
        openapi_extra=described(ListQuery),
        responses=refusals(401, 422, 429, 503),
    )
    async def latest(request: Request) -> Response:
        """Items that somebody chose for the first time most recently."""
        wished = query_of(request, ListQuery)
        return await _browsed(service, wished, lambda browse: browse.latest, scores=False)

    _hiding(router, service)
    return router


async def _browsed(
    service: Service,
    wished: ListQuery,
    listing: Callable[[Browsing], Callable[[Wishes], Answer]],
    scores: bool,
) -> Response:
    """A list that is the same for everybody."""
    check_count(wished.k, wished.offset, service.limits)
    wishes, run = Wishes(wished.k, wished.offset, only=wished.only), service.run
    wishes = await service.offered(wishes) if wished.available else wishes
    told = await service.worker.call(lambda: listing(run.saved.browse)(wishes))
    return answer(items_of(told, run.version, told.model, scores=scores))


def _hiding(router: APIRouter, service: Service) -> None:
    """Routes that change what is offered."""

    @router.put(
        "/v1/items/{item}",
        dependencies=[Depends(without_query)],
        summary="Hide an item, or offer it again",
        response_model=ItemOut,
        responses=refusals(401, 413, 415, 422, 429, 503),
    )
    async def put(item: InPath, wished: ItemIn) -> Response:
        """Hide an item from every list, for good or until a time, or offer it again."""
        if wished.until is not None and not wished.hidden:
            raise BadInput(
                "An item that is offered has no end of hiding.", "until", "Leave it out."
            )
        if wished.until is not None and wished.until <= time.time():
            fix = "Give a later time, or hidden = false."
            raise BadInput(f"until = {wished.until:g} has passed already.", "until", fix)
        if wished.hidden:
            await service.hide(item, wished.until)
        else:
            await service.unhide(item)
        return answer({"item": item, "hidden": wished.hidden, "until": wished.until})

    @router.delete(
        "/v1/items/{item}",
        dependencies=[Depends(without_query)],
        summary="Hide an item for good",
        response_model=ItemOut,
        responses=refusals(401, 422, 429, 503),
    )
    async def delete(item: InPath) -> Response:
        """Hide an item from every list; what users did with it still says what they like."""
        await service.hide(item, None)
        return answer({"item": item, "hidden": True, "until": None})
