"""Routes of recommendations: for a user by their id, and from any history."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Depends
from starlette.requests import Request
from starlette.responses import Response

from tastemaker.errors import BadInput
from tastemaker.run.events import Event as Given
from tastemaker.run.wishes import Wishes, weights
from tastemaker.serve.answers import UserItemsOut
from tastemaker.serve.json_bodies import JsonRoute
from tastemaker.serve.limits import Limits
from tastemaker.serve.listing import user_items
from tastemaker.serve.queries import described, path_id, query_of
from tastemaker.serve.refusals import answer, without_query
from tastemaker.serve.schemas import (
    HistoryIn,
    RecommendIn,
    RecommendQuery,
    WishesQuery,
    refusals,
)
from tastemaker.serve.service import Service


def recommendation_routes(service: Service) -> APIRouter:
    """The routes of a service."""
    router = APIRouter(tags=["recommendations"], route_class=JsonRoute)

    @router.get(
        "/v1/users/{user}/recommendations",
        summary="What a user may like next",
        response_model=UserItemsOut,
        openapi_extra=described(RecommendQuery, "user"),
        responses=refusals(401, 422, 429, 503),
    )
    async def of_user(request: Request) -> Response:
        """The best items for a user, from all that is known of them up to now.

        Somebody of whom nothing is known gets what is popular, and the answer says so.
        """
        user, wished = path_id(request, "user"), query_of(request, RecommendQuery)
        only = one_choice(wished.only, wished.category)
        wishes = wishes_of(wished, service.limits, only=only, because=wished.because)
        ranked = await service.recommend(user, wishes, wished.model, wished.available)
        return answer(user_items(ranked, wished.model, wished.scores))

    @router.post(
        "/v1/recommendations",
        dependencies=[Depends(without_query)],
        summary="What somebody with this history may like next",
        response_model=UserItemsOut,
        responses=refusals(401, 413, 415, 422, 429, 503),
    )
    async def from_history(wished: RecommendIn) -> Response:
        """The best items after a history that the request brings; nothing of it is kept."""
        history = history_of(wished.history, service.limits)
        check_count(wished.k, wished.offset, service.limits)
        wishes = Wishes(
            wished.k,
            wished.offset,
            wished.boost,
            one_choice(wished.only, wished.filter.categories),
            wished.allow,
            wished.deny,
            diversify=wished.diversify,
            because=wished.because,
        )
        available = wished.filter.available
        ranked = await service.recommend_from(history, wishes, wished.model, available)
        return answer(user_items(ranked, wished.model, wished.scores))

    return router


def check_count(k: int, offset: int, limits: Limits) -> None:
    """Refuse more items than an answer may have.

    Raises:
        BadInput: Naming the limit.
    """
    if k + offset > limits.k:
        what = f"k + offset = {k + offset:,} are more items than one answer may reach to."
        raise BadInput(what, "k", f"Ask for at most {limits.k:,}.")


def wishes_of(
    wished: WishesQuery,
    limits: Limits,
    only: Sequence[str] | None = None,
    because: bool = False,
    relevance: float | None = None,
) -> Wishes:
    """What a query wishes, and what its route reads from it besides.

    Raises:
        BadInput: If it cannot be meant.
    """
    check_count(wished.k, wished.offset, limits)
    return Wishes(
        wished.k,
        wished.offset,
        weights(wished.boost),
        wished.only if only is None else only,
        wished.allow,
        wished.deny,
        relevance,
        diversify=wished.diversify,
        because=because,
    )


def one_choice(only: Sequence[str], categories: Sequence[str]) -> Sequence[str]:
    """Groups that items come from, whichever way they are named.

    Raises:
        BadInput: If they are named both ways.
    """
    if only and categories:
        fix = "Name all of them in one of the two."
        raise BadInput("Both only and the filter say which groups items come from.", "only", fix)
    return only or categories


def history_of(history: Sequence[HistoryIn], limits: Limits) -> list[Given]:
    """Events of a history as a run reads them.

    Raises:
        BadInput: If it is too long.
    """
    if len(history) > limits.history:
        what = f"The history has {len(history):,} events; {limits.history:,} is the most."
        raise BadInput(what, "history", "Send the newest.")
    return [Given(one.item_id, one.time, one.kind, one.value) for one in history]
