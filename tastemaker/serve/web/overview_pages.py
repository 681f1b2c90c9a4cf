"""The first page: how many, how much, how fast, and what is recommended."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse

from tastemaker.serve.day_counts import DayCounts, Told
from tastemaker.serve.latency import routes_fared
from tastemaker.serve.opened import Opened
from tastemaker.serve.schemas import Words
from tastemaker.serve.service import Service
from tastemaker.serve.statistics import Counts, Window, day_of, log_counts, window_of
from tastemaker.serve.web.charts import Series, colour, compared, stacked
from tastemaker.serve.web.templates import page

DAYS = (7, 30, 90)
"""Windows to choose from."""
DRAWN = "/web/{name}"
"""Route of style sheets and scripts, of which nobody asks how fast it is."""
MOST = 10
"""Items that are listed."""


class OverviewQuery(Words):
    """What to look at."""

    days: Annotated[
        Literal[7, 30, 90],
        BeforeValidator(lambda text: int(text) if str(text).isdecimal() else text),
    ] = Field(30, description="how many days back")


@dataclass
class _Kept:
    """What is counted once for a run, and its log's last days."""

    run: Opened
    told: DayCounts
    log: tuple[Counts, int] | None = None


def overview_pages(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(include_in_schema=False)
    kept: list[_Kept] = []

    def looked(run: Opened, days: int) -> tuple[Told, Window, bool]:
        """What was told, a window of it, and whether it is the log's, as nothing was told yet."""
        declared = run.saved.data.declared
        if not kept or kept[0].run is not run:
            kept[:] = [_Kept(run, DayCounts(service.store.database, declared))]
        mine, today = kept[0], day_of(time.time())
        told = mine.told.read(today)
        if told.total or told.whole:
            return told, window_of(told.counts, declared, today, days), False
        if mine.log is None:
            mine.log = log_counts(run.saved.data)
        counts, last = mine.log
        return told, window_of(counts, declared, last, days), True

    @router.get("/")
    async def overview(request: Request, wished: Annotated[OverviewQuery, Query()]) -> HTMLResponse:
        """Everything at a glance."""
        run = service.run
        told, window, of_log = await service.apart(lambda: looked(run, wished.days))
        hidden = await service.apart(service.store.hidden)
        return page(
            "overview.html",
            request,
            run,
            card=run.card(),
            told=told,
            hidden=len(hidden),
            window=window,
            of_log=of_log,
            counting=told.whole > day_of(time.time()) - 2 * wished.days + 1,
            lately=_lately(told),
            choices=DAYS,
            charts=_charts(window),
            recommended=service.recommended.counted(run, MOST),
            routes=[one for one in routes_fared(service.monitoring) if one.route != DRAWN],
        )

    return router


def _lately(told: Told) -> dict[str, int]:
    """Events that were told today, and in the last seven days."""
    today = day_of(time.time())
    by_day = [(day, count) for (day, _, _), count in told.counts.items()]
    return {
        "today": sum(count for day, count in by_day if day == today),
        "week": sum(count for day, count in by_day if day > today - 7),
    }


def _charts(window: Window) -> dict[str, object]:
    """Events of each day; and for each type its share of them, over that of the days before."""
    bars = [Series(one.label, one.now, colour(n)) for n, one in enumerate(window.types)]
    positive = [sum(values) for values in zip(*(one.now for one in window.types), strict=True)]
    rest = [
        all - some
        for all, some in zip(window.totals, positive or [0] * len(window.totals), strict=True)
    ]
    if any(rest) or not bars:
        bars.append(Series("not positive", rest, "rest"))
    lines = [
        compared(
            f"share-{n}",
            f"Share of {one.label} in all events, by day",
            window.days,
            Series("now", window.line(one), colour(n)),
            Series("before", window.line_before(one), "before"),
        )
        for n, one in enumerate(window.types)
    ]
    return {
        "events": stacked("events", "Events by day", window.days, bars),
        "bars": bars,
        "shares": lines,
    }
