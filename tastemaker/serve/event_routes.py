"""Route of events: what users did and were shown, told in batches."""

from __future__ import annotations

from fastapi import APIRouter, Depends
from starlette.responses import Response

from tastemaker.serve.answers import EventsOut
from tastemaker.serve.events import Event
from tastemaker.serve.json_bodies import JsonRoute
from tastemaker.serve.refusals import answer, without_query
from tastemaker.serve.schemas import EventsIn, refusals
from tastemaker.serve.service import Service


def event_routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(tags=["events"], route_class=JsonRoute)

    @router.post(
        "/v1/events",
        dependencies=[Depends(without_query)],
        summary="Tell what happened",
        response_model=EventsOut,
        responses=refusals(401, 413, 415, 422, 429, 503),
    )
    async def tell(batch: EventsIn) -> Response:
        """Keep a batch of events, all of it or none.

        Once this answers they are on the disk. An event_id that was told before is not kept again,
        so a batch may be sent again after any failure. An event of the kind `shown` says that an
        item was shown, and is nobody's history.
        """
        events = [
            Event(
                event_id=one.event_id,
                user_id=one.user_id,
                item_id=one.item_id,
                time=one.time,
                kind=one.kind,
                value=one.value,
                list_id=one.list_id,
                rank=one.rank,
            )
            for one in batch.events
        ]
        added = await service.append(events)
        return answer({"new": added.new, "duplicate": added.duplicate, "erased": added.erased})

    return router
