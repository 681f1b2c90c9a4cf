"""Clients of a server that ask at a steady rate, or many at once; for `benchmarks/serve.py`.

A request begins when its time has come, whether those before are answered or not, and its latency
counts from then.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

Ask = Callable[[int], bytes]
"""The bytes of the request of a number."""


@dataclass
class Told:
    """What came back."""

    statuses: dict[int, int] = field(default_factory=dict)
    """0: the connection was dropped"""
    seconds: list[float] = field(default_factory=list)
    later: int = 0
    """refusals that say when to come again"""

    def note(self, status: int, seconds: float, later: bool) -> None:
        """Count one answer."""
        self.statuses[status] = self.statuses.get(status, 0) + 1
        self.seconds.append(seconds)
        self.later += later

    @property
    def errors(self) -> int:
        """Requests that were not answered with 200."""
        return sum(count for status, count in self.statuses.items() if status != 200)


class Clients:
    """Connections to a server that are kept open and used again."""

    def __init__(self, port: int) -> None:
        self.port, self.told = port, Told()
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes, began: float) -> None:
        """Send one request and wait for its answer."""
        try:
            pair = self._idle.pop() if self._idle else await self._opened()
            status, later = await _asked(*pair, request)
            self._idle.append(pair)
        except (OSError, EOFError):
            status, later = 0, False
        self.told.note(status, time.perf_counter() - began, later)

    async def _opened(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)

    def close(self) -> None:
        """Let go of all connections."""
        for _, writer in self._idle:
            writer.close()


async def _asked(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes
) -> tuple[int, bool]:
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    length = re.search(rb"content-length: (\d+)", head)
    await reader.readexactly(int(length[1]) if length else 0)
    return int(head[9:12]), b"retry-after" in head


@asynccontextmanager
async def clients(port: int) -> AsyncIterator[Clients]:
    """Clients of a server, and an end to them."""
    made = Clients(port)
    yield made
    made.close()


async def steadily(port: int, ask: Ask, rate: float, count: int) -> Told:
    """Requests at a steady rate, whether the server keeps up or not."""
    async with clients(port) as some:
        began, tasks = time.perf_counter(), []
        for number in range(count):
            due = began + number / rate
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.append(asyncio.create_task(some.ask(ask(number), due)))
        await asyncio.gather(*tasks)
        return some.told


async def at_once(port: int, ask: Ask, count: int, each: int = 1) -> Told:
    """As many clients as that at the same time, each asking again once it is answered."""
    async with clients(port) as some:

        async def one(client: int) -> None:
            for number in range(each):
                await some.ask(ask(client * each + number), time.perf_counter())

        await asyncio.gather(*map(one, range(count)))
        return some.told


def get(path: str) -> bytes:
    """A request without a body."""
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def post(path: str, body: object) -> bytes:
    """A request with JSON."""
    text = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(text)}\r\n\r\n".encode() + text
