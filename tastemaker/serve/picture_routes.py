"""Routes of pictures: the one of an item, and items by what theirs show."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from tastemaker.models.thumbnails import LONGEST, TYPE
from tastemaker.serve.answers import NamedOut
from tastemaker.serve.json_bodies import JsonRoute
from tastemaker.serve.listing import by_picture
from tastemaker.serve.looks import Looks
from tastemaker.serve.queries import described, path_id, query_of
from tastemaker.serve.recommendation_routes import check_count
from tastemaker.serve.refusals import answer, unknown, without_query
from tastemaker.serve.schemas import PictureQuery, refusals
from tastemaker.serve.service import Service

SECONDS = 3_600
"""For which a browser need not ask again."""
_SENT = {
    "Cache-Control": f"private, max-age={SECONDS}",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
}


def picture_routes(service: Service) -> APIRouter:
    """The routes of a service; to search pictures only where it has something to search by."""
    router = APIRouter(tags=["items"], route_class=JsonRoute)

    @router.get(
        "/v1/items/{item}/image",
        dependencies=[Depends(without_query)],
        summary="The picture of an item",
        response_class=Response,
        openapi_extra=described(None, "item"),
        responses={
            200: {"content": {TYPE: {}}, "description": f"At most {LONGEST} pixels a side"},
            **refusals(401, 404, 422, 429, 503),
        },
    )
    async def image(request: Request) -> Response:
        """A small copy of the picture that the catalogue names."""
        return await picture_of(service, request, path_id(request, "item"))

    if service.looks is not None:
        _searching(router, service, service.looks)
    return router


def _searching(router: APIRouter, service: Service, looks: Looks) -> None:
    @router.get(
        "/v1/pictures",
        summary="Find an item by what its picture shows",
        response_model=NamedOut,
        openapi_extra=described(PictureQuery),
        responses=refusals(401, 422, 429, 503),
    )
    async def search(request: Request) -> Response:
        """Items whose pictures are most like the words, the nearest first."""
        wished = query_of(request, PictureQuery)
        check_count(wished.k, 0, service.limits)
        return answer(await by_picture(service, looks, wished.q, wished.k, wished.available))


async def picture_of(service: Service, request: Request, item: str) -> Response:
    """A small copy of an item's picture, or that the client has it already.

    Raises:
        Refused: If there is none.
    """
    pictures = service.run.pictures
    shown = await service.apart(lambda: pictures.shown(item)) if item in pictures else None
    if shown is None:
        fix = "Ask for an item whose picture lies in the folder of the data."
        raise unknown(f"There is no picture of an item {item!r:.80}.", "item", fix)
    headers = {**_SENT, "ETag": f'"{shown.tag}"'}
    if shown.tag in request.headers.get("if-none-match", ""):
        return Response(None, 304, headers)
    return Response(shown.body, 200, headers, TYPE)
