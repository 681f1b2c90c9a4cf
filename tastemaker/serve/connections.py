"""Connections that say what they want in time: one that begins a request and stops is let go.

The protocol's own patience begins after an answer; without this, sockets that never say what they
want would take every descriptor that the process may have.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

PATIENCE = 10.0
"""Seconds in which the head of a request arrives, from its first byte; the body has its own."""
SILENT = 30.0
"""Seconds that a connection may say nothing at first."""


class Timely(HttpToolsProtocol):
    """The protocol, with an end to waiting for the head of a request."""

    _waits: asyncio.TimerHandle | None = None
    _begun = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait."""
        super().connection_made(transport)
        self._waits = self.loop.call_later(SILENT, self._let_go)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no longer."""
        self._wait_no_longer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read; a head that has begun has its own time from then."""
        super().data_received(data)
        if self._begun and self._waits is None:
            self._waits = self.loop.call_later(PATIENCE, self._let_go)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._wait_no_longer()
        self._begun = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The whole head."""
        self._wait_no_longer()
        self._begun = False
        super().on_headers_complete()

    def _wait_no_longer(self) -> None:
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _let_go(self) -> None:
        transport: Any = self.transport
        if not transport.is_closing():
            transport.close()
