"""Tools for assistants, at `/mcp`: recommend, similar, search, history; the maintained Python SDK.

The same calls as the routes, with the same words in and out. Nothing is kept between two calls.
What users and items are called is data: it stands in JSON, and no tool follows what it says.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

import mcp_types as types
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import Field, ValidationError
from starlette.types import Receive, Scope, Send

from tastemaker import __version__
from tastemaker.errors import TastemakerError
from tastemaker.files import JsonObject, shortened
from tastemaker.run.wishes import Wishes
from tastemaker.serve.door import log_fault
from tastemaker.serve.listing import beside_item, by_title, user_events, user_items
from tastemaker.serve.recommendation_routes import check_count
from tastemaker.serve.refusals import said
from tastemaker.serve.schemas import Id, Strict, Text
from tastemaker.serve.service import Service

PATH = "/mcp"


class Counted(Strict):
    """What every tool takes."""

    k: int = Field(10, ge=1, le=100, description="how many")


class RecommendTool(Counted):
    """What a user may like next, with the reason; a user who is not known gets what is popular."""

    user: Id
    only: list[Text] = Field(default=[], description="categories that items come from")
    deny: list[Id] = Field(default=[], description="ids of items that may not come")


class SimilarTool(Counted):
    """Items that go with an item, by its id."""

    item: Id
    relevance: float | None = Field(
        None, ge=0, le=1, description="0: what people also choose; 1: what is really similar"
    )


class SearchTool(Counted):
    """Items by a title or a part of one, to learn their ids."""

    q: Text


class HistoryTool(Counted):
    """The newest events of a user, the newest first."""

    user: Id


@dataclass(frozen=True)
class Tools:
    """The tools of a service."""

    service: Service

    async def recommend(self, asked: RecommendTool) -> JsonObject:
        """As the schema says."""
        wishes = Wishes(asked.k, only=asked.only, deny=asked.deny, because=True)
        return user_items(await self.service.recommend(asked.user, wishes), "", scores=True)

    async def similar(self, asked: SimilarTool) -> JsonObject:
        """As the schema says."""
        wishes = Wishes(asked.k, relevance=asked.relevance)
        return beside_item(await self.service.similar(asked.item, wishes), scores=True)

    async def search(self, asked: SearchTool) -> JsonObject:
        """As the schema says."""
        return await by_title(self.service, asked.q, asked.k)

    async def history(self, asked: HistoryTool) -> JsonObject:
        """As the schema says."""
        return await user_events(self.service, asked.user, asked.k)

    @property
    def calls(self) -> Mapping[str, tuple[type[Counted], Callable[[Any], Awaitable[JsonObject]]]]:
        """Name of a tool → what it takes, and what it does."""
        return {
            "recommend": (RecommendTool, self.recommend),
            "similar": (SimilarTool, self.similar),
            "search": (SearchTool, self.search),
            "history": (HistoryTool, self.history),
        }

    async def listed(self, context: Any, asked: Any) -> types.ListToolsResult:
        """What there is, as assistants ask for it."""
        reads = types.ToolAnnotations(read_only_hint=True, open_world_hint=False)
        tools = [
            types.Tool(
                name=name,
                description=takes.__doc__,
                input_schema=takes.model_json_schema(),
                annotations=reads,
            )
            for name, (takes, _) in self.calls.items()
        ]
        return types.ListToolsResult(tools=tools)

    async def called(
        self, context: Any, asked: types.CallToolRequestParams
    ) -> types.CallToolResult:
        """What a tool answers, or what is wrong and how to mend it."""
        if asked.name not in self.calls:
            return _told(f"There is no tool {asked.name!r:.80}: use {', '.join(self.calls)}.", True)
        takes, call = self.calls[asked.name]
        try:
            wished = takes.model_validate(asked.arguments or {})
            check_count(wished.k, 0, self.service.limits)
            answer = await call(wished)
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, p['loc']))}: {p['msg']}" for p in error.errors()]
            return _told(shortened("; ".join(wrong), 1_000), True)
        except TastemakerError as error:
            what, where, fix = said(error)
            return _told(
                shortened(f"{what} {fix} ({where})" if where else f"{what} {fix}", 1_000), True
            )
        except Exception as error:
            log_fault(error, "mcp")
            return _told("Something went wrong that nobody expected; the log has more.", True)
        return _told(json.dumps(answer, ensure_ascii=False, allow_nan=False))


class Assistants:
    """The ASGI application at `/mcp`."""

    def __init__(self, service: Service) -> None:
        tools = Tools(service)
        server: Server[Any] = Server(
            "tastemaker",
            version=__version__,
            instructions="Recommend items to users, and say why.",
            on_list_tools=tools.listed,
            on_call_tool=tools.called,
        )
        self._manager = StreamableHTTPSessionManager(
            server,
            json_response=True,
            stateless=True,
            max_request_body_size=service.limits.body,
        )

    def running(self) -> AbstractAsyncContextManager[None]:
        """While inside, it answers."""
        return self._manager.run()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._manager.handle_request(scope, receive, send)


def _told(text: str, wrong: bool = False) -> types.CallToolResult:
    said = types.TextContent(type="text", text=text)
    return types.CallToolResult(content=[said], is_error=wrong)
