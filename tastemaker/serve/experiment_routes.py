"""Route of an experiment: how it goes, as `tastemaker evaluate RUN --experiment NAME` says it."""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from tastemaker.serve.experiment_counts import NoExperiment
from tastemaker.serve.experiment_results import WINDOW, experiment_summary
from tastemaker.serve.refusals import answer, unknown
from tastemaker.serve.schemas import InPath, Text, Words, refusals
from tastemaker.serve.service import Service

Ends = tuple[float, float]


class ExperimentQuery(Words):
    """How long events count."""

    window: Text = Field(
        WINDOW,
        description="after a user's first exposure: days, hours, minutes or seconds",
        examples=["7d", "12h"],
    )


class Mean(BaseModel):
    """Over the users of an arm whose window is over."""

    mean: float
    ci95: Ends | None


class ArmOut(BaseModel):
    """One arm."""

    arm: str
    share: float = Field(description="of users that it should have")
    assigned: int = Field(description="users who were answered while in it")
    exposed: int = Field(description="those of them whom its model answered")
    unripe: int = Field(description="exposed users whose window is not over: they do not count yet")
    users: int = Field(description="exposed users who count")
    answers: int
    events: int = Field(description="within the windows of users who count")
    positives: int
    metrics: dict[str, Mean] = Field(
        description="conversion, positives per user, hit (on an item shown before), hits per user"
    )


class DifferenceOf(BaseModel):
    """An arm's mean minus the control's."""

    difference: float | None
    ci: Ends | None = Field(description="for one look")
    any_time: Ends | None = Field(description="for any number of looks")
    detectable: float | None = Field(description="what 80 in 100 such experiments would find")


class DifferenceOut(BaseModel):
    """An arm beside the control."""

    arm: str
    against: str
    metrics: dict[str, DifferenceOf]
    verdict: Literal["better", "worse", "no difference", "underpowered", "withheld"]
    said: str


class RatioOut(BaseModel):
    """Whether the arms have the users that they should."""

    p: float
    mismatch: bool = Field(description="p < 0.001: nothing here can be believed")


class LeftOut(BaseModel):
    """Users who do not count."""

    moved: int = Field(description="a change of the split moves them from one arm to another")
    both: int = Field(description="they met two arms")


class ExperimentOut(BaseModel):
    """An experiment as it stands."""

    experiment: str
    window: str
    as_of: float
    control: str
    decides: str = Field(description="the metric of the verdict")
    level: float = Field(description="of the intervals: above 0.95 with more than two arms")
    arms: list[ArmOut]
    differences: list[DifferenceOut]
    sample_ratio: RatioOut
    left_out: LeftOut
    versions: dict[str, int] = Field(description="version of the run: users it answered first")
    warnings: list[str]


def experiment_routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(tags=["experiments"])
    turn = asyncio.Lock()  # counting takes seconds of a large store, and others need its threads

    @router.get(
        "/v1/experiments/{name}",
        summary="How an experiment goes",
        response_model=ExperimentOut,
        responses=refusals(401, 404, 422, 429, 503),
    )
    async def experiment(name: InPath, asked: Annotated[ExperimentQuery, Query()]) -> Response:
        """Arms, differences from the control and a verdict, counted anew over the store."""
        saved, store = service.run.saved, service.store
        try:
            async with turn:
                told = await service.apart(
                    lambda: experiment_summary(store, saved, name, asked.window)
                )
            return answer(told)
        except NoExperiment as error:
            raise unknown(error.what, "name", error.fix) from None

    return router
