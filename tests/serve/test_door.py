"""The door: names, unexpected faults, and what is noted."""

import asyncio
import json

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message, Receive, Scope, Send

from tastemaker.serve.door import UNKNOWN, Door
from tastemaker.serve.limits import Limits
from tastemaker.serve.monitoring import Monitoring


async def inside(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["path"] == "/broken":
        raise ZeroDivisionError("u1")
    await PlainTextResponse(scope["path"])(scope, receive, send)


def door(*hosts: str) -> tuple[TestClient, Monitoring]:
    numbers = Monitoring(lambda: 0)
    made = Door(inside, Limits(rate=0.001, burst=20), None, frozenset(hosts), numbers)
    return TestClient(made, raise_server_exceptions=False), numbers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("LOCALHOST:8000", 200),
        ("[::1]:8000", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("", 421),
    ],
)
def test_only_its_own_names_are_answered(host: str, status: int) -> None:
    client, _ = door("localhost", "[::1]")
    assert client.get("/x", headers={"Host": host}).status_code == status
    assert door()[0].get("/x", headers={"Host": host}).status_code == 200


def test_a_fault_inside_is_json_and_counted() -> None:
    client, numbers = door()
    response = client.get("/broken")
    assert response.status_code == 500 and json.loads(response.text)["error"]["fix"]
    assert client.request("BREW", "/x").status_code == 200
    page = numbers.page().decode()
    assert f'{{method="GET",route="{UNKNOWN}",status="500"}} 1.0' in page
    assert 'method="OTHER"' in page and "BREW" not in page


def test_paths_reach_routes_with_their_ids_whole() -> None:
    assert door()[0].get("/a%2Fb/c").text == "/a%2Fb/c"


def test_a_name_stands_in_a_query_once_unless_it_is_a_list() -> None:
    client, _ = door()
    assert client.get("/x?k=1&k=2").status_code == 422
    assert client.get("/x?%6b=1&k=2").status_code == 422
    assert client.get("/x?only=a&only=b&k=1").status_code == 200


def test_one_address_may_ask_only_so_often() -> None:
    client, _ = door()
    assert [client.get("/x").status_code for _ in range(21)] == [200] * 20 + [429]


def test_a_client_that_leaves_is_counted_and_gets_nothing() -> None:
    _, numbers = door()
    made, sent = Door(inside, Limits(), None, frozenset(), numbers), []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"5")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/x",
        "headers": headers,
        "query_string": b"",
    }
    asyncio.run(made(scope, receive, send))
    asyncio.run(made({"type": "websocket", "path": "/x"}, receive, send))
    assert sent == [{"type": "websocket.close"}]
    assert 'status="499"' in numbers.page().decode()


def test_what_can_be_got_can_be_asked_for_without_its_body() -> None:
    client, numbers = door()
    got, asked = client.get("/some"), client.head("/some")
    assert asked.status_code == 200 and asked.content == b""
    assert asked.headers["content-length"] == got.headers["content-length"] == "5"
    assert 'method="HEAD",route="(no route)",status="200"' in numbers.page().decode()


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (OSError("broken pipe"), "499"),
        (RuntimeError("unable to write: the handler is closed"), "499"),
        (RuntimeError("a bug"), "200"),
    ],
)
def test_a_client_that_leaves_during_its_answer_is_no_fault(error: Exception, status: str) -> None:
    _, numbers = door()
    made = Door(inside, Limits(), None, frozenset(), numbers)
    sent: list[Message] = []

    async def send(message: Message) -> None:
        if message["type"] == "http.response.body":
            raise error
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope: Scope = {
        "type": "http", "method": "GET", "path": "/x", "raw_path": b"/x", "query_string": b"",
        "headers": [], "client": ("127.0.0.1", 1),
    }  # fmt: skip
    asyncio.run(made(scope, receive, send))
    assert len(sent) == 1
    assert f'route="(no route)",status="{status}"' in numbers.page().decode()


def test_who_looks_after_a_server_is_never_turned_away() -> None:
    client, _ = door()
    while client.get("/x").status_code == 200:
        pass
    assert client.get("/x").status_code == 429
    assert {client.get(path).status_code for path in ("/healthz", "/readyz")} == {200}
