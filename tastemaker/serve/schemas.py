"""What requests say: strict, every field known, with examples; what is sent back is in `answers`.

Ids may be written as text or as whole numbers: 7 is "7". A field that is not there is an error, as
it would have no effect.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    WithJsonSchema,
)
from pydantic.config import JsonDict

from tastemaker.run.wishes import HEAVIEST
from tastemaker.serve.paths import decoded

Id = Annotated[
    str,
    BeforeValidator(lambda id: str(id) if type(id) is int else id),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "integer"}], "examples": ["42"]}),
]
InPath = Annotated[str, AfterValidator(decoded), Field(examples=["42"])]
Weight = Annotated[FiniteFloat, Field(ge=-HEAVIEST, le=HEAVIEST)]
Seconds = Annotated[FiniteFloat, Field(ge=0, description="seconds since 1970, UTC")]
Availability = Literal["available", "any"]
Text = Annotated[str, Field(min_length=1, max_length=200)]
Share = Annotated[FiniteFloat, Field(ge=0, le=1)]
HUGE = 2**31 - 1
_APART = "0: the ranking itself; 1: items that are as unlike each other as can be"
_BECAUSE = "say of each item which items of the history speak most for it"


class Strict(BaseModel):
    """A body: no other fields, no text for a number."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


class Words(BaseModel):
    """A query: no other fields; numbers are written as text there."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class EventIn(Strict):
    """Something that happened."""

    event_id: Id = Field(description="chosen by you, the same when it is told again")
    user_id: Id
    item_id: Id
    time: Seconds
    kind: str = Field("", description="as the data declare it, such as view; shown: an exposure")
    value: FiniteFloat | None = Field(None, description="a rating or the like")
    list_id: Id | None = Field(None, description="list that the item was shown in")
    rank: int | None = Field(None, ge=1, le=HUGE, description="place in that list, from 1")


_EVENT: JsonDict = {"event_id": "e-1", "user_id": "42", "item_id": "318", "time": 1_767_225_600}


class EventsIn(Strict):
    """A batch of events."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": [_EVENT]}]})

    events: list[EventIn] = Field(min_length=1)


class FilterIn(Strict):
    """What items must be, whatever else is wished."""

    categories: list[Text] = Field(default=[], description="items with one of these")
    availability: Availability = Field(default="available", description="any: hidden items too")

    @property
    def available(self) -> bool:
        """Whether hidden items are left out."""
        return self.availability == "available"


class HistoryIn(Strict):
    """One event of a history that a request brings."""

    item_id: Id
    time: Seconds | None = Field(None, description="when it was; none: not known")
    kind: str = ""
    value: FiniteFloat | None = None


class RecommendIn(Strict):
    """A history, and what is wished."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"history": [{"item_id": "318"}, {"item_id": "296"}], "k": 5},
                {"history": [], "k": 3, "only": ["Comedy"], "boost": {"Comedy": 0.2}},
            ]
        }
    )

    history: list[HistoryIn] = Field(description="oldest first; empty: somebody new")
    k: int = Field(10, ge=1, le=HUGE, description="number of items")
    offset: int = Field(0, ge=0, le=HUGE, description="items passed over before the first")
    scores: bool = Field(True, description="whether items come with their scores")
    boost: dict[str, Weight] = Field(default={}, description="group → weight added to its items")
    only: list[Text] = Field(default=[], description="groups that items come from")
    allow: list[Id] | None = Field(None, description="items that may come; none given: all")
    deny: list[Id] = Field(default=[], description="items that may not")
    filter: FilterIn = Field(default_factory=FilterIn)
    diversify: Share = Field(0.0, description=_APART)
    because: bool = Field(False, description=_BECAUSE)
    model: str = Field("", description="a model of the run; empty: the one it recommends with")


class Available(Words):
    """Whether hidden items are listed."""

    availability: Availability = Field(default="available", description="any: hidden items too")

    @property
    def available(self) -> bool:
        """Whether hidden items are left out."""
        return self.availability == "available"


class PageQuery(Words):
    """How many, from where on."""

    k: int = Field(10, ge=1, le=HUGE, description="number of items")
    offset: int = Field(0, ge=0, le=HUGE, description="items passed over before the first")


class ListQuery(PageQuery, Available):
    """A list that is the same for everybody."""

    only: list[Text] = Field(default=[], description="groups that items come from")


class WishesQuery(ListQuery):
    """What is wished of a list of items."""

    scores: bool = Field(True, description="whether items come with their scores")
    boost: list[Text] = Field(default=[], description="GROUP=WEIGHT", examples=[["Comedy=0.2"]])
    allow: list[str] | None = Field(None, description="items that may come; none given: all")
    deny: list[str] = Field(default=[], description="items that may not")
    diversify: Share = Field(0.0, description=_APART)


class RecommendQuery(WishesQuery):
    """What is wished for a user."""

    category: list[Text] = Field(default=[], description="items with one of these categories")
    because: bool = Field(False, description=_BECAUSE)
    model: str = Field("", description="a model of the run; empty: the one it recommends with")


class SimilarQuery(WishesQuery):
    """What is wished of the items that go with an item."""

    relevance: Share | None = Field(
        None, description="0: what people also choose; 1: what is really similar"
    )


class SearchQuery(Available):
    """A title, or a part of one."""

    q: Text
    k: int = Field(10, ge=1, le=HUGE, description="number of items")


class PictureQuery(Available):
    """What is to be seen."""

    q: Text = Field(description="words for what a picture shows")
    k: int = Field(10, ge=1, le=HUGE, description="number of items")


class CountQuery(Words):
    """How many."""

    k: int = Field(10, ge=1, le=HUGE, description="how many")


class ItemIn(Strict):
    """Whether an item is offered."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"hidden": True, "until": None}]})

    hidden: bool
    until: Seconds | None = Field(None, description="when it is offered again; none: never")


class ErrorText(BaseModel):
    """What is wrong, where, and what to do about it."""

    what: str
    where: str
    fix: str


class ErrorOut(BaseModel):
    """Every error."""

    error: ErrorText


def refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Errors of a route, for the OpenAPI document."""
    said = {
        401: "A key is needed",
        404: "Not there",
        413: "Too large",
        415: "Not said to be JSON",
        422: "Cannot be meant",
        429: "Too often; see Retry-After",
        503: "No room, or no database; see Retry-After",
    }
    return {status: {"model": ErrorOut, "description": said[status]} for status in statuses}
