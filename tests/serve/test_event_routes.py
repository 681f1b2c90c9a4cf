"""Telling events: kept once, all of a batch or none."""

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.store import Store
from tests.serve.test_app import error_of


def event(number: int, **fields: Any) -> dict[str, Any]:
    told = {
        "event_id": f"e{number}",
        "user_id": "new",
        "item_id": f"i{number}",
        "time": 100 + number,
    }
    return told | fields


def test_a_batch_is_kept_once(client: TestClient, kept: Store) -> None:
    batch = {"events": [event(1), event(2, user_id=7), event(1), event(3, kind="shown", rank=1)]}
    assert client.post("/v1/events", json=batch).json() == {"new": 3, "duplicate": 1, "erased": 0}
    assert client.post("/v1/events", json=batch).json() == {"new": 0, "duplicate": 4, "erased": 0}
    assert len(kept) == 3
    assert [one.item_id for one in kept.history("7", 5)] == ["i2"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"time": -1},
        {"time": 1e12},
        {"time": "now"},
        {"user_id": ""},
        {"item_id": "a\nb"},
        {"kind": "hatred"},
        {"value": "5"},
        {"rank": 0},
        {"idle": 1},
        {"user_id": "\ud800"},
    ],
)
def test_a_batch_with_one_bad_event_is_not_kept(
    client: TestClient, kept: Store, wrong: dict[str, Any]
) -> None:
    content = json.dumps({"events": [event(1), event(2, **wrong)]})
    headers = {"Content-Type": "application/json"}
    response = client.post("/v1/events", content=content, headers=headers)
    assert response.status_code == 422, response.text
    error_of(response)
    assert len(kept) == 0


def test_batches_are_bounded(client: TestClient, kept: Store) -> None:
    for events in ([], [event(n) for n in range(21)]):
        assert client.post("/v1/events", json={"events": events}).status_code == 422
    assert len(kept) == 0
    many = [event(n) for n in range(20)]
    assert client.post("/v1/events", json={"events": many}).json()["new"] == 20


def test_what_is_told_changes_what_is_recommended(client: TestClient) -> None:
    path = "/v1/users/a%2Fb/recommendations?k=3"
    before = client.get(path).json()
    assert before["source"]["model"] == "popularity" and before["source"]["fallback"]
    assert not before["known"]
    client.post("/v1/events", json={"events": [event(3, user_id="a/b")]})
    after = client.get(path).json()
    assert after["known"] and after["source"]["fallback"] is None
    assert after["items"] != before["items"]
    assert "i3" not in [item["item"] for item in after["items"]]
