"""What is sent back: lists of items with their source, as JSON and for the OpenAPI document."""

from __future__ import annotations

from pydantic import BaseModel, Field

from tastemaker.files import JsonObject
from tastemaker.run.answers import Answer, Recommendation
from tastemaker.run.user_lists import POPULARITY


class Part(BaseModel):
    """The part of a user in an experiment."""

    name: str
    arm: str = Field(description="model that is to answer them", examples=["blend"])


class Source(BaseModel):
    """What made an answer."""

    model: str = Field(examples=["blend"])
    version: str = Field(description="of the run: its manifest's digest", examples=["1f0e5a7c9b2d"])
    fallback: str | None = Field(description="why another model answers than was asked; else null")
    experiment: Part | None = Field(
        None, description="there only where an experiment chose the model, and none was asked for"
    )


class Named(BaseModel):
    """An item by its name."""

    item: str
    title: str


class ListedItem(Named):
    """An item of a list."""

    categories: list[str]
    score: float | None = Field(None, description="0 to 1 plus boosts, where scores are wished")
    intent: str | None = Field(None, description="the head that speaks for it, where there are any")
    because: list[Named] | None = Field(
        None, description="items of the history that speak most for it, where that is wished"
    )
    parts: dict[str, float] | None = Field(None, description="beside an item: what each head adds")


class ItemsOut(BaseModel):
    """A list of items."""

    source: Source
    reason: str
    items: list[ListedItem]
    complete: bool = Field(description="whether there are as many as were asked for")


class UserItemsOut(ItemsOut):
    """A list of items for a user."""

    user: str
    known: bool = Field(description="whether anything is known of the user")


class BesideOut(ItemsOut):
    """A list of items that go with an item."""

    item: Named | None
    relevance: float | None = Field(description="weight on relevance that ranked")


class NamedOut(BaseModel):
    """Items by their names."""

    source: Source
    items: list[Named]


class DoneEvent(Named):
    """Something that a user did."""

    time: float | None
    kind: str
    value: float | None


class HistoryOut(BaseModel):
    """What a user did, newest first."""

    user: str
    known: bool
    source: Source
    events: list[DoneEvent]


class EventsOut(BaseModel):
    """What became of a batch of events; they are on the disk."""

    new: int
    duplicate: int = Field(description="told before, by their event_id")
    erased: int = Field(description="of before their user was erased; not kept")


class ItemOut(BaseModel):
    """Whether an item is offered."""

    item: str
    hidden: bool
    until: float | None


class ErasedOut(BaseModel):
    """What was removed of a user."""

    user: str
    events: int
    states: int


def source(model: str, version: str, fallback: str | None = None) -> JsonObject:
    """What made an answer."""
    return {"model": model, "version": version, "fallback": fallback}


def items_of(answer: Answer, version: str, asked: str, scores: bool) -> JsonObject:
    """A list as JSON.

    Args:
        answer: What the run says.
        version: Of the run.
        asked: Name of the model that was asked.
        scores: Whether items come with their scores.
    """
    fallback = answer.reason if answer.model == POPULARITY != asked else None
    return {
        "source": source(answer.model, version, fallback),
        "reason": answer.reason,
        "items": [listed(item, scores) for item in answer.items],
        "complete": answer.complete,
    }


def listed(item: Recommendation, scores: bool) -> JsonObject:
    """An item of a list as JSON."""
    told: JsonObject = {"item": item.item, "title": item.title, "categories": item.categories}
    if scores:
        told["score"] = item.score
    if item.intent:
        told["intent"] = item.intent
    if item.because:
        told["because"] = [{"item": one.item, "title": one.title} for one in item.because]
    if item.parts and scores:
        told["parts"] = dict(item.parts)
    return told
