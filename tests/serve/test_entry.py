"""Who may enter, what is noted of them, and which run they meet: over every route there is."""

import hashlib
import io
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.key_file import OPEN, KeyFile
from tastemaker.serve.limits import Limits
from tastemaker.serve.logs import written
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import with_heads
from tests.serve.test_app import error_of
from tests.serve.test_event_routes import event
from tests.serve.test_mcp_tools import BOTH
from tests.serve.test_recommendation_routes import ids

KEYS = {"shop": "a-long-random-text", "app": "another-random-text"}
LISTED = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
BODIES: dict[str, dict[str, Any]] = {
    "POST /v1/events": {"events": [event(1, user_id="her-id", item_id="her-item")]},
    "POST /v1/recommendations": {"history": [{"item_id": "her-item"}]},
    "PUT /v1/items/{item}": {"hidden": True},
    "POST /mcp": LISTED,
}
"""Route → a body that it takes."""


@pytest.fixture
def locked(opened: Opened, kept: Store) -> Iterator[TestClient]:
    with TestClient(create_app(Service(opened, kept, Limits()), KeyFile.of(KEYS))) as client:
        yield client


def every_route(client: TestClient, **headers: str) -> dict[str, int]:
    """Ask every route for something that it can answer: route → status."""
    document = client.app.openapi()  # type: ignore[attr-defined]
    routes = [(path, name) for path, methods in document["paths"].items() for name in methods]
    # Forgetting comes last, so that the others have somebody to speak of.
    routes.sort(key=lambda route: route[1] == "delete")
    statuses = {}
    for path, method in [*routes, ("/mcp", "post")]:
        route = f"{method.upper()} {path}"
        plain = path.replace("{user}", "her-id").replace("{item}", "her-item")
        plain += "?q=her-title" if path == "/v1/items" else ""
        response = client.request(
            method, plain, json=BODIES.get(route), headers={**BOTH, **headers}
        )
        statuses[route] = response.status_code
        if response.status_code == 401:
            error_of(response)
    return statuses


def test_without_a_right_key_nothing_is_answered_and_nothing_done(
    locked: TestClient, kept: Store
) -> None:
    key = KEYS["shop"]
    wrong: list[dict[str, str]] = [
        {},
        {"X-API-Key": ""},
        {"X-API-Key": key[:-1]},
        {"X-API-Key": key + "x"},
        {"X-API-Key": key.upper()},
        {"X-API-Key": hashlib.sha256(key.encode()).hexdigest()},
        {"X-API-Key": "shop"},
        {"Authorization": key},
        {"Authorization": f"Basic {key}"},
        {"Authorization": f"Bearer {key} {key}"},
        {"Cookie": f"X-API-Key={key}"},
    ]
    for headers in wrong:
        statuses = every_route(locked, **headers)
        assert len(statuses) == 19
        entered = {route for route, status in statuses.items() if status != 401}
        assert entered == {f"GET {path}" for path in OPEN}, headers
    assert locked.get(f"/v1/model?key={key}&X-API-Key={key}").status_code == 401
    for path in ("/healthz/", "//healthz", "/healthz%2F", "/v1/../healthz", "/HEALTHZ", "/nowhere"):
        assert locked.get(path).status_code in (401, 200), path  # a client may shorten a path
        assert locked.get(path.replace(".", "%2E")).status_code == 401, path
    assert len(kept) == 0 and kept.hidden() == frozenset() and not kept.erased(["her-id"])


def test_a_right_key_opens_every_route(locked: TestClient, kept: Store) -> None:
    missing = (
        "items/{item}/image",
        "items/{item}/similar",
        "users/{user}/profile",
        "experiments/{name}",
    )
    cannot = {f"GET /v1/{path}": 404 for path in missing}
    shop, app = KEYS.values()
    for header, value in (("Authorization", f"Bearer {shop}"), ("x-api-key", app)):
        statuses = every_route(locked, **{header: value})
        assert {route: status for route, status in statuses.items() if status != 200} == cannot
        assert kept.erased(["her-id"]) and kept.hidden() == {"her-item"}


def test_every_key_has_a_rate_of_its_own(opened: Opened, kept: Store) -> None:
    service = Service(opened, kept, Limits(rate=0.001, burst=3))
    with TestClient(create_app(service, KeyFile.of(KEYS))) as client:
        shop, app = ({"X-API-Key": key} for key in KEYS.values())
        assert [client.get("/metrics", headers=shop).status_code for _ in range(4)][2:] == [
            200,
            429,
        ]
        refused = client.get("/v1/model", headers=shop)
        assert (refused.status_code, error_of(refused)["where"]) == (429, "this client")
        assert 900 <= int(refused.headers["retry-after"]) <= 1_000
        assert client.get("/v1/model", headers=app).status_code == 200
        # Who has no key takes nothing from those who have one.
        assert [client.get("/v1/model").status_code for _ in range(5)] == [401] * 5
        assert client.get("/v1/model", headers=app).status_code == 200


def test_no_route_writes_down_who_it_was_about(locked: TestClient) -> None:
    stream = io.StringIO()
    key = KEYS["shop"]
    with written(stream, logging.DEBUG):
        statuses = every_route(locked, **{"X-API-Key": key, "User-Agent": "her-agent"})
        every_route(locked, **{"X-API-Key": "her-guess"})
        locked.get("/v1/users/her-id/her-path", headers={"X-API-Key": key})
        locked.get("/v1/model", headers={"X-API-Key": key, "Host": "her-host"})
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    asked = [line for line in lines if line["event"] == "request"]
    assert len(asked) == 2 * len(statuses) + 2
    noted = [f"{line['method']} {line['route']}" for line in asked[: len(statuses)]]
    assert noted == list(statuses)
    assert [line["status"] for line in asked[: len(statuses)]] == list(statuses.values())
    assert all(line["ms"] >= 0 and set(line) >= {"time", "level", "status"} for line in asked)
    assert "her-" not in stream.getvalue() and key not in stream.getvalue()
    assert "testclient" not in stream.getvalue()  # the address


def numbers(client: TestClient) -> dict[str, float]:
    """The page of numbers, without what depends on time."""
    page = client.get("/metrics").text
    return {
        name: float(value) for name, value in re.findall(r"^(\w+\{.*\}|\w+) (\S+)$", page, re.M)
    }


def test_numbers_are_those_of_what_happened(client: TestClient) -> None:
    batch = {"events": [event(1), event(2), event(1)]}
    client.post("/v1/events", json=batch)
    client.post("/v1/events", json={"events": [event(3, kind="hatred")]})
    client.delete("/v1/users/new")
    client.post("/v1/events", json=batch)
    for path in ("/v1/popular", "/v1/popular?k=0", "/nowhere", "/elsewhere", "/mcp"):
        client.get(path)
    client.post("/mcp", json=LISTED, headers=BOTH)
    told = numbers(client)
    for fate, count in (("new", 2), ("duplicate", 1), ("erased", 3)):
        assert told[f'tastemaker_events_total{{fate="{fate}"}}'] == count
    requests = {
        ("POST", "/v1/events", 200): 2,
        ("POST", "/v1/events", 422): 1,
        ("DELETE", "/v1/users/{user}", 200): 1,
        ("GET", "/v1/popular", 200): 1,
        ("GET", "/v1/popular", 422): 1,
        ("GET", "(no route)", 404): 2,
        ("GET", "/mcp", 405): 1,
        ("POST", "/mcp", 200): 1,
    }
    for (method, route, status), count in requests.items():
        name = f'{{method="{method}",route="{route}",status="{status}"}}'
        assert told[f"tastemaker_requests_total{name}"] == count, name
    assert told['tastemaker_request_seconds_count{route="/v1/events"}'] == 3
    assert told["tastemaker_waiting"] == 0 and told["tastemaker_swaps_total"] == 0
    assert not [name for name in told if "elsewhere" in name or "new}" in name]
    asked = sum(count for name, count in told.items() if name.startswith("tastemaker_requests_tot"))
    assert asked == 10 and numbers(client)["tastemaker_waiting"] == 0


def test_two_runs_take_each_others_place(
    opened: Opened, kept: Store, finished_run: Path, tmp_path: Path
) -> None:
    """What was told, hidden and forgotten is the server's, whichever run answers."""
    first = with_heads(opened)
    service = Service(first, kept, Limits())
    paths = ("/readyz", "/v1/model", "/v1/popular", "/v1/users/new/recommendations")

    def versions(client: TestClient) -> set[str]:
        answers = [client.get(path).json() for path in paths]
        return {one["version"] if "version" in one else one["source"]["version"] for one in answers}

    with TestClient(create_app(service)) as client:
        assert client.portal is not None
        client.post("/v1/events", json={"events": [event(3), event(9)]})
        client.delete("/v1/items/i5")
        client.delete("/v1/users/u1")
        assert versions(client) == {first.version}
        assert client.get("/v1/items/i3/similar").status_code == 200
        with pytest.raises(Exception, match="run"):
            client.portal.call(service.swap, tmp_path)
        assert versions(client) == {first.version}
        client.portal.call(service.swap, finished_run)
        assert versions(client) == {opened.version} != {first.version}
        assert client.get("/v1/items/i3/similar").json()["source"]["model"] == "counted"
        events = client.get("/v1/users/new/history").json()["events"]
        assert [one["item"] for one in events] == ["i9", "i3"]
        assert "i5" not in ids(client.get("/v1/popular?k=50").json())
        assert not client.get("/v1/users/u1/recommendations").json()["known"]
        told = numbers(client)
        assert told["tastemaker_swaps_total"] == 1
        runs = [name for name in told if name.startswith("tastemaker_run{")]
        assert len(runs) == 1 and opened.version in runs[0]
