"""The way in for assistants: their library is loaded when the first of them comes.

Loading it takes nearly half a second of processor time, which a server that is asked by none does
not spend. Its loop lives in a task of its own, from then until the server ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.util import find_spec
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from tastemaker.serve.service import Service

if TYPE_CHECKING:
    from tastemaker.serve.mcp_tools import Assistants


def installed() -> bool:
    """Whether there is the library."""
    return find_spec("mcp") is not None


class Entry:
    """The ASGI application at `/mcp`, made when it is first asked.

    Args:
        service: What answers.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._wanted, self._there = asyncio.Event(), asyncio.Event()
        self._made: Assistants | Exception | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """While inside, it answers."""
        task = asyncio.create_task(self._running())
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        self._wanted.set()
        await self._there.wait()
        if isinstance(self._made, Exception):
            raise self._made
        assert self._made
        await self._made(scope, receive, send)

    async def _running(self) -> None:
        await self._wanted.wait()
        try:
            made = await asyncio.to_thread(_loaded, self._service)
        except Exception as error:  # each who asks is told, and the log
            self._made = error
            self._there.set()
            return
        async with made.running():
            self._made = made
            self._there.set()
            await asyncio.Event().wait()  # until the server ends


def _loaded(service: Service) -> Assistants:
    from tastemaker.serve.mcp_tools import Assistants

    return Assistants(service)
