"""Limits at their very edges, and what a refusal says: its status, its place, its shape."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.limits import Limits
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.test_app import error_of
from tests.serve.test_event_routes import event

JSON = {"Content-Type": "application/json"}
OF_U1 = "/v1/users/u1/recommendations"


@pytest.fixture
def tight(opened: Opened, kept: Store) -> Iterator[TestClient]:
    """A server that allows very little."""
    limits = Limits(k=5, batch=5, history=3, queue=1, patience=0.1, nesting=3)
    with TestClient(create_app(Service(opened, kept, limits))) as client:
        yield client


def test_an_answer_reaches_to_k_and_no_further(headed: TestClient) -> None:
    paged = [OF_U1, "/v1/items/i3/similar", "/v1/popular", "/v1/latest"]
    for path in paged:
        for k, offset in ((50, 0), (1, 49), (25, 25)):
            assert headed.get(f"{path}?k={k}&offset={offset}").status_code == 200, path
        for k, offset in ((51, 0), (1, 50), (26, 25), (2**31 - 1, 2**31 - 1)):
            response = headed.get(f"{path}?k={k}&offset={offset}")
            assert response.status_code == 422, path
            assert error_of(response)["where"] == "k"
    for path in ("/v1/users/u1/history?", "/v1/users/u1/profile?", "/v1/items?q=item&"):
        assert headed.get(f"{path}k=50").status_code == 200, path
        assert error_of(headed.get(f"{path}k=51"))["where"] == "k"
    for k, offset, status in ((50, 0, 200), (1, 49, 200), (51, 0, 422), (1, 50, 422)):
        body = {"history": [], "k": k, "offset": offset}
        assert headed.post("/v1/recommendations", json=body).status_code == status


def test_a_body_may_be_as_large_as_it_may_be(client: TestClient, kept: Store) -> None:
    content = json.dumps({"events": [event(1)]}).encode()
    for size, status in ((LIMITS.body, 200), (LIMITS.body + 1, 413)):
        padded = content.ljust(size)
        assert client.post("/v1/events", content=padded, headers=JSON).status_code == status
        parts = client.post("/v1/events", content=iter([padded]), headers=JSON)
        assert parts.status_code == status
    assert len(kept) == 1


def test_levels_of_json_are_counted_outside_of_texts(tight: TestClient, kept: Store) -> None:
    batch = {"events": [event(1, item_id="[[[[{{{{")]}  # three levels
    assert tight.post("/v1/events", json=batch).status_code == 200
    assert kept.history("new", 1)[0].item_id == "[[[[{{{{"
    for deeper in ({"events": [{"time": [1]}]}, [[[[]]]]):
        response = tight.post("/v1/events", json=deeper)
        assert response.status_code == 422 and "3 levels" in error_of(response)["what"]


def test_histories_and_batches_have_a_longest(tight: TestClient, kept: Store) -> None:
    def batch(*numbers: int) -> dict[str, Any]:
        return {"events": [event(n) for n in numbers]}

    assert tight.post("/v1/events", json=batch(1, 2, 3, 4, 5)).json()["new"] == 5
    refused = tight.post("/v1/events", json=batch(6, 7, 8, 9, 10, 11))
    assert (refused.status_code, error_of(refused)["where"], len(kept)) == (422, "events", 5)
    history = [{"item_id": f"i{n}", "time": 100 + n} for n in (2, 3, 4, 5)]
    refused = tight.post("/v1/recommendations", json={"history": history})
    assert (refused.status_code, error_of(refused)["where"]) == (422, "history")
    # Of a stored history the newest count: here three of five.
    body = {"history": history[1:], "k": 5}
    brought = tight.post("/v1/recommendations", json=body).json()
    assert tight.get("/v1/users/new/recommendations?k=5").json()["items"] == brought["items"]
    events = tight.get("/v1/users/new/history?k=5").json()["events"]
    assert [one["item"] for one in events] == ["i5", "i4", "i3"]


def test_a_full_line_and_a_long_wait_say_when_to_come_again(
    opened: Opened, kept: Store, tight: TestClient
) -> None:
    patient = Service(opened, kept, Limits(queue=1, patience=5))
    hasty = Service(opened, kept, Limits(queue=2, patience=0.1))
    for service in (patient, hasty):  # the one is full, in the other the wait is too long
        with TestClient(create_app(service)) as client:
            hold = threading.Event()
            assert client.portal is not None
            held = client.portal.start_task_soon(service.worker.call, hold.wait)
            while not service.worker.waiting:
                time.sleep(0.001)
            threading.Timer(0.15, hold.set).start()
            response = client.get(OF_U1)
            assert response.status_code == 503
            assert int(response.headers["retry-after"]) >= 1
            assert error_of(response)["where"] == "the line of requests"
            assert held.result(5)
            assert client.get(OF_U1).status_code == 200
    assert tight.get(OF_U1 + "?k=5").status_code == 200  # one at a time is no crowd


HISTORY = {"history": [{"item_id": "i3"}]}
REFUSED: list[tuple[str, str, object, int, str]] = [
    ("GET", f"{OF_U1}?k=0", None, 422, "query"),
    ("GET", f"{OF_U1}?k=1&k=1", None, 422, "query"),
    ("GET", f"{OF_U1}?scores=perhaps", None, 422, "query"),
    ("GET", f"{OF_U1}?boost=Odd=1&boost=Odd=2", None, 422, "boost"),
    ("GET", f"{OF_U1}?boost=Odd", None, 422, "boost"),
    ("GET", f"{OF_U1}?boost=Odd=100.5", None, 422, "boost"),
    ("GET", f"{OF_U1}?boost=Fun=1", None, 422, "boost"),
    ("GET", f"{OF_U1}?only=Fun", None, 422, "only"),
    ("GET", f"{OF_U1}?only=Odd&category=Even", None, 422, "only"),
    ("GET", f"{OF_U1}?allow=unheard", None, 422, "allow"),
    ("GET", f"{OF_U1}?deny=unheard", None, 422, "deny"),
    ("GET", f"{OF_U1}?model=unheard", None, 422, "model"),
    ("GET", f"{OF_U1}?k=1&diversify=0.5", None, 422, "diversify"),
    ("GET", f"{OF_U1}?diversify=1.01", None, 422, "query"),
    ("GET", f"{OF_U1}?relevance=0.5", None, 422, "query"),
    ("POST", "/v1/recommendations", {**HISTORY, "allow": ["unheard"]}, 422, "allow"),
    ("POST", "/v1/recommendations", {**HISTORY, "boost": {"Fun": 1.0}}, 422, "boost"),
    ("POST", "/v1/recommendations", {**HISTORY, "k": "5"}, 422, "body"),
    ("POST", "/v1/recommendations", {**HISTORY, "scores": 1}, 422, "body"),
    ("POST", "/v1/recommendations", {**HISTORY, "filter": {"availability": "no"}}, 422, "body"),
    ("POST", "/v1/recommendations?k=5", HISTORY, 422, "query"),
    ("POST", "/v1/events", {"events": [event(1, kind="hatred")]}, 422, "event 1: kind"),
    ("POST", "/v1/events?k=5", {"events": [event(1)]}, 422, "query"),
    ("POST", "/v1/events", {"events": [event(1, user_id="")]}, 422, ""),
    ("GET", "/v1/items/unheard/similar", None, 404, "item"),
    ("GET", "/v1/items?q=" + "x" * 201, None, 422, "query"),
    ("PUT", "/v1/items/i3", {"hidden": False, "until": 9e9}, 422, "until"),
    ("PUT", "/v1/items/i3", {"hidden": True, "until": 5}, 422, "until"),
    ("PUT", "/v1/items/i3", {"hidden": True, "until": 9e9}, 422, "until"),
    ("PUT", "/v1/items/i3?hidden=true", {"hidden": True}, 422, "query"),
    ("DELETE", "/v1/items/i3?until=5", None, 422, "query"),
    ("DELETE", "/v1/users/u1?k=5", None, 422, "query"),
    ("DELETE", "/v1/users/a%00b", None, 422, "user_id"),
    ("DELETE", "/v1/items/a%00b", None, 422, "item_id"),
    ("GET", "/v1/users/unheard/profile", None, 404, "user"),
    ("GET", "/v1/users/u1/history?offset=1", None, 422, "query"),
    ("GET", "/healthz?k=1", None, 422, "query"),
    ("GET", "/nowhere", None, 404, "request"),
    ("PATCH", "/v1/events", None, 405, "request"),
]


def test_every_refusal_names_its_place_and_a_way_out(headed: TestClient, kept: Store) -> None:
    for method, path, body, status, where in REFUSED:
        response = headed.request(method, path, json=body)
        case = f"{method} {path:.60} {body}: {response.text}"
        assert response.status_code == status, case
        error = error_of(response)
        assert error["what"].endswith((".", '"')) or "\n" in error["what"], case
        assert error["fix"].endswith("."), case
        assert error["where"] == where or not where, case
        assert "--" not in error["what"] + error["where"] + error["fix"], case  # no command line
        assert response.headers["content-type"] == "application/json", case
        assert response.headers["x-content-type-options"] == "nosniff", case
    assert len(kept) == 0 and kept.hidden() == frozenset()
    assert not kept.erased(["u1"])


def test_statuses_are_those_that_the_document_declares(headed: TestClient) -> None:
    paths = headed.get("/openapi.json").json()["paths"]
    names = {"u1": "{user}", "unheard": "{item}", "i3": "{item}", "a%00b": "{item}"}
    for method, path, _, status, _ in REFUSED:
        parts = path.partition("?")[0].split("/")
        route = "/".join(names.get(one, one) for one in parts)
        route = route.replace("users/{item}", "users/{user}")
        if status != 405 and route in paths and route != "/healthz":
            assert str(status) in paths[route][method.lower()]["responses"], (method, path)
