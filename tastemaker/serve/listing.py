"""What a service finds, as JSON: for the routes and for the tools of assistants alike."""

from __future__ import annotations

from tastemaker.files import JsonObject
from tastemaker.run.wishes import PLAIN
from tastemaker.serve.answers import items_of, source
from tastemaker.serve.looks import Looks
from tastemaker.serve.service import Ranked, Service
from tastemaker.serve.timeline import timeline_of


def user_items(ranked: Ranked, model: str, scores: bool) -> JsonObject:
    """A list for a user.

    Args:
        ranked: What was ranked.
        model: Name of the model that was asked; empty: the one that the run recommends with.
        scores: Whether items come with their scores.
    """
    told, run, part = ranked.answer, ranked.run, ranked.assigned
    asked = part.arm if part else model or run.model
    items = items_of(told, run.version, asked, scores)
    if part:
        items["source"]["experiment"] = {"name": part.experiment, "arm": part.arm}
    return {"user": told.user, "known": told.known, **items}


def beside_item(ranked: Ranked, scores: bool) -> JsonObject:
    """A list of items that go with one."""
    told, run = ranked.answer, ranked.run
    beside = None if told.item is None else {"item": told.item.item, "title": told.item.title}
    asked = told.model if told.known else run.model
    items = items_of(told, run.version, asked, scores)
    return {"item": beside, "relevance": told.relevance, **items}


async def by_title(service: Service, text: str, k: int, available: bool = True) -> JsonObject:
    """Items whose titles hold a text.

    Args:
        service: What finds them.
        text: A title, or a part of one.
        k: Most items.
        available: Whether hidden items are left out.
    """
    run = service.run
    hidden = frozenset((await service.offered(PLAIN)).hidden) if available else frozenset()
    items = await service.apart(lambda: run.saved.browse.search(text, k + len(hidden)))
    named = [{"item": one.item, "title": one.title} for one in items if one.item not in hidden][:k]
    return {"source": source("search", run.version), "items": named}


async def by_picture(
    service: Service, looks: Looks, text: str, k: int, available: bool = True
) -> JsonObject:
    """Items whose pictures are most like some words.

    Args:
        service: Whose items.
        looks: What sees their pictures.
        text: What is to be seen.
        k: Most items.
        available: Whether hidden items are left out.
    """
    run = service.run
    hidden = (
        frozenset(map(str, (await service.offered(PLAIN)).hidden)) if available else frozenset()
    )
    items = await service.apart(lambda: looks.find(run, text, k, hidden))
    named = [{"item": one.item, "title": one.title} for one in items]
    return {"source": source("pictures", run.version), "items": named}


async def user_events(service: Service, user: str, k: int) -> JsonObject:
    """What a user did, the newest first."""
    run, told = service.run, await service.told(user)
    events = await service.apart(lambda: timeline_of(run.saved, told))
    known, newest = bool(events), events[:k]
    made = source("log", run.version)
    return {"user": user, "known": known, "source": made, "events": newest}
