"""Bodies: said to be JSON, and each name of an object once."""

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.store import Store
from tests.serve.test_app import error_of

EVENT = '{"event_id": "e", "user_id": "u", "item_id": "i", "time": 5}'
JSON = {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/events", EVENT.replace('"user_id": "u"', '"user_id": "u", "user_id": "v"')),
        ("/v1/events", '{"events": [], "events": [' + EVENT + "]}"),
        ("/v1/recommendations", '{"history": [], "k": 3, "k": 4}'),
        ("/v1/recommendations", '{"history": [{"item_id": "i1", "item_id": "i2"}]}'),
    ],
)
def test_a_name_that_stands_twice_is_refused(
    client: TestClient, kept: Store, path: str, body: str
) -> None:
    whole = '{"events": [' + body + "]}" if body.startswith('{"event_id') else body
    response = client.post(path, content=whole, headers=JSON)
    assert response.status_code == 422 and "twice" in error_of(response)["what"]
    assert len(kept) == 0


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_what_is_not_said_to_be_json_is_refused(
    client: TestClient, kept: Store, kind: str | None
) -> None:
    body = '{"events": [' + EVENT + "]}"
    headers = {} if kind is None else {"Content-Type": kind}
    response = client.post("/v1/events", content=body, headers=headers)
    assert response.status_code == 415 and "application/json" in error_of(response)["fix"]
    told = {"Content-Type": "application/json; charset=utf-8"}
    assert client.post("/v1/events", content=body, headers=told).json()["new"] == 1


def test_what_is_no_json_says_where(client: TestClient) -> None:
    response = client.post("/v1/events", content='{"events": [}', headers=JSON)
    assert response.status_code == 422 and "character 12" in error_of(response)["what"]


def test_a_coded_body_is_refused(client: TestClient) -> None:
    headers = JSON | {"Content-Encoding": "gzip"}
    response = client.post("/v1/events", content=EVENT, headers=headers)
    assert response.status_code == 415 and "gzip" in error_of(response)["what"]
