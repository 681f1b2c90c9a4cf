"""Connections that begin a request and stop are let go; those that go on are not."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import uvicorn
from starlette.responses import PlainTextResponse

from tastemaker.serve import connections
from tastemaker.serve.connections import Timely
from tastemaker.serve.server import listening_socket

WHOLE = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    monkeypatch.setattr(connections, "SILENT", 0.4)
    config = uvicorn.Config(PlainTextResponse("hello"), http=Timely, log_config=None, ws="none")
    server, bound = uvicorn.Server(config), listening_socket("127.0.0.1", 0)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield bound.getsockname()[1]
    server.should_exit = True
    thread.join()


def lasted(port: int, *parts: bytes, wait: float = 0.0) -> tuple[float, bytes]:
    """Seconds until the server hangs up, and what it said."""
    began, said = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", port), 60) as link:
        with suppress(OSError):  # it hung up while we spoke
            for part in parts:
                link.sendall(part)
                time.sleep(wait)
            while got := link.recv(1_000):
                said += got
        return time.monotonic() - began, said


@pytest.mark.parametrize("begin", [WHOLE[:9], WHOLE[:-2], WHOLE + WHOLE[:9]])
def test_a_request_that_stops_half_way_is_let_go(port: int, begin: bytes) -> None:
    took, said = lasted(port, begin)
    assert 0.1 < took < 30 and said.count(b"hello") == begin.count(b"\r\n\r\n")


def test_a_connection_that_says_nothing_is_let_go(port: int) -> None:
    took, said = lasted(port)
    assert 0.3 < took < 30 and not said


def test_a_head_that_comes_in_parts_has_one_patience_and_an_answered_client_another(
    port: int,
) -> None:
    took, said = lasted(port, *[bytes([one]) for one in WHOLE], wait=0.03)
    assert took < 30 and not said  # a byte now and then keeps no connection
    with socket.create_connection(("127.0.0.1", port), 60) as link:
        for _ in range(3):
            link.sendall(WHOLE)
            time.sleep(0.5)  # longer than either patience
            assert link.recv(1_000).endswith(b"hello")
