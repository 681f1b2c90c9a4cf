"""The application as a whole: its document, its keys, its errors, and hostile requests."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterator

import httpx2
import pytest
from starlette.testclient import TestClient

from tastemaker.errors import Unavailable
from tastemaker.serve import app
from tastemaker.serve.app import create_app
from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.limits import Limits
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store


def error_of(response: object) -> dict[str, str]:
    told = response.json()  # type: ignore[attr-defined]
    assert list(told) == ["error"] and list(told["error"]) == ["what", "where", "fix"]
    fields: dict[str, str] = told["error"]
    return fields


def test_the_document_names_every_route_with_examples(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    assert set(document["paths"]) == {
        "/v1/events",
        "/v1/users/{user}/recommendations",
        "/v1/recommendations",
        "/v1/items/{item}/similar",
        "/v1/items/{item}/image",
        "/v1/items/{item}",
        "/v1/items",
        "/v1/popular",
        "/v1/latest",
        "/v1/users/{user}/history",
        "/v1/users/{user}/profile",
        "/v1/users/{user}",
        "/v1/model",
        "/v1/experiments/{name}",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    assert document["components"]["schemas"]["EventsIn"]["examples"]
    assert document["components"]["schemas"]["RecommendIn"]["examples"]


@pytest.fixture
def locked(opened: Opened, kept: Store) -> Iterator[TestClient]:
    service = Service(opened, kept, Limits(rate=0.01, burst=5))
    with TestClient(create_app(service, KeyFile.of({"shop": "sesame"}))) as client:
        yield client


def test_no_route_answers_without_a_key(locked: TestClient) -> None:
    key = {"Authorization": "Bearer sesame"}
    document = locked.get("/openapi.json", headers=key).json()
    walked = 0
    for path, methods in document["paths"].items():
        for method in methods:
            plain = re.sub("{.*?}", "1", path)
            for headers in ({}, {"X-API-Key": "guess"}):
                response = locked.request(method, plain, headers=headers)
                if path not in ("/healthz", "/readyz"):  # which say nothing of anybody
                    assert response.status_code == 401, path
                    assert response.headers["www-authenticate"] == "Bearer"
                    error_of(response)
                    walked += 1
    assert walked == 32
    assert locked.get("/readyz").status_code == 200
    assert locked.post("/mcp").status_code == 401
    assert locked.get("/openapi.json").status_code == 401
    assert locked.get("/v1/model", headers=key).status_code == 200


def test_who_asks_too_often_is_told_when_to_come_again(locked: TestClient) -> None:
    key = {"X-API-Key": "sesame"}
    told = [locked.get("/v1/latest?k=0", headers=key) for _ in range(6)]
    assert [one.status_code for one in told] == [422] * 5 + [429]
    assert 1 <= int(told[-1].headers["retry-after"]) <= 100
    error_of(told[-1])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/v1/users//recommendations", 404),
        ("PATCH", "/v1/model", 405),
        ("GET", "/v1/users/%ff/history", 422),
        ("GET", "/v1/users/a%00b/history", 422),
        ("GET", "/v1/users/u1/recommendations?k=0", 422),
        ("GET", "/v1/users/u1/recommendations?k=-1", 422),
        ("GET", "/v1/users/u1/recommendations?k=x", 422),
        ("GET", "/v1/users/u1/recommendations?k=51", 422),
        ("GET", "/v1/users/u1/recommendations?k=99999999999999999999", 422),
        ("GET", "/v1/users/u1/recommendations?k=2&k=3", 422),
        ("GET", "/v1/users/u1/recommendations?idle=1", 422),
        ("GET", "/v1/model?idle=1", 422),
        ("GET", "/v1/users/u1/recommendations?boost=Even", 422),
        ("GET", "/v1/users/u1/recommendations?boost=Even=nan", 422),
        ("GET", "/v1/users/u1/recommendations?only=Fun", 422),
        ("GET", "/v1/users/u1/recommendations?only=Odd&category=Even", 422),
        ("GET", "/v1/users/u1/recommendations?model=__import__", 422),
        ("GET", "/v1/users/u1/recommendations?deny=nothing", 422),
        ("GET", "/v1/users/u1/recommendations?availability=soon", 422),
        ("GET", "/v1/items?q=", 422),
        ("GET", "/v1/items", 422),
        ("GET", "/v1/items/none/similar", 404),
        ("GET", "/v1/items/i1/similar?relevance=2", 422),
        ("GET", "/v1/popular?offset=-1", 422),
        ("GET", "/v1/popular?only=Fun", 422),
    ],
)
def test_what_cannot_be_meant_is_refused(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    assert response.status_code == status, response.text
    assert error_of(response)["what"]


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"null", 422),
        (b"[]", 422),
        (b'{"history": NaN}', 422),
        (b'{"history": [], "k": 1e400}', 422),
        (b'{"history": [], "k": true}', 422),
        (b'{"history": [], "idle": 1}', 422),
        (b'{"history": [{"item_id": null}]}', 422),
        (b'{"history": [{"item_id": "i1", "time": -1}]}', 422),
        (b'{"history": [{"item_id": "i1", "kind": "hatred"}]}', 422),
        (b'{"history": [], "boost": {"Even": 1e9}}', 422),
        (b'{"history": [], "filter": {"mood": 1}}', 422),
        (b'{"history": ' + b"[" * 9_000 + b"]" * 9_000 + b"}", 422),
        (b'{"history": "\xff"}', 422),
        (b'{"history": [], "only": ["\\ud800"]}', 422),
        (b'{"history": [' + b'{"item_id": "i1"},' * 300 + b'{"item_id": "i1"}]}', 422),
        (b"x" * 20_001, 413),
    ],
)
def test_hostile_bodies_are_refused(client: TestClient, content: bytes, status: int) -> None:
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/recommendations", content=content, headers=headers)
    assert response.status_code == status, response.text
    error_of(response)


def test_another_sites_page_cannot_post(client: TestClient) -> None:
    headers = {"Content-Type": "text/plain"}
    response = client.post("/v1/recommendations", content=b'{"history": []}', headers=headers)
    assert response.status_code == 415


def test_a_bug_is_told_as_one_and_logged_without_its_words(
    client: TestClient,
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("u1 likes secrets")

    monkeypatch.setattr(service, "recommend", broken)
    with caplog.at_level("ERROR"):
        response = client.get("/v1/users/u1/recommendations")
    assert response.status_code == 500
    fix = error_of(response)["fix"]
    (record,) = [one for one in caplog.records if one.message == "fault"]
    facts = vars(record)["facts"]
    assert facts["id"] in fix and facts["kind"] == "KeyError" and facts["frames"]
    assert "secrets" not in str(vars(record)) + response.text


def test_a_database_that_is_away_is_said_and_comes_back(
    client: TestClient, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise Unavailable("The database does not answer.", "it", "Start it.")

    with monkeypatch.context() as gone:
        for call in ("history", "append", "hidden"):
            gone.setattr(kept, call, away)
        for path in ("/readyz", "/v1/users/u1/recommendations"):
            response = client.get(path)
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            error_of(response)
        assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 200
    assert client.get("/v1/users/u1/recommendations").status_code == 200


def test_far_more_than_there_is_room_for_is_answered_or_told_to_come_again(
    opened: Opened, kept: Store
) -> None:
    service = Service(opened, kept, Limits(queue=40))
    app = create_app(service)

    async def test() -> list[httpx2.Response]:
        transport = httpx2.ASGITransport(app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://server") as client:
            paths = [f"/v1/users/u{n}/recommendations?k=3" for n in range(400)]
            told = await asyncio.gather(*map(client.get, paths))
            after = await client.get(paths[0])
        return [*told, after]

    *told, after = asyncio.run(test())
    service.close()
    statuses = Counter(one.status_code for one in told)
    assert set(statuses) == {200, 503} and statuses[200] >= 40
    for one in told:
        if one.status_code == 503:
            assert int(one.headers["retry-after"]) >= 1
            error_of(one)
        else:
            assert len(one.json()["items"]) == 3
    assert after.status_code == 200 and service.worker.waiting == 0


def test_titles_from_outside_are_text_and_nothing_more(client: TestClient) -> None:
    response = client.get("/v1/items", params={"q": "item <7>"})
    assert response.json()["items"][0]["title"] == "Item <7>"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_without_the_library_there_are_no_tools_for_assistants(
    opened: Opened, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "installed", lambda: False)
    with TestClient(create_app(Service(opened, kept, Limits()))) as client:
        assert client.post("/mcp").status_code == 404
        assert client.get("/healthz").status_code == 200


def test_the_document_says_how_keys_are_sent(client: TestClient, locked: TestClient) -> None:
    key = {"X-API-Key": "sesame"}
    for asked, needed in ((client, False), (locked, True)):
        document = asked.get("/openapi.json", headers=key).json()
        assert document["components"]["securitySchemes"].keys() == {"bearer", "key"}
        assert ({} in document["security"]) == (not needed)
