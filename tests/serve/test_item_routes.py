"""Items: beside one, by title, popular, new, hidden."""

import time

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.opened import Opened
from tests.serve.test_app import error_of
from tests.serve.test_recommendation_routes import ids


def test_what_goes_with_an_item(headed: TestClient) -> None:
    told = headed.get("/v1/items/i3/similar?k=5").json()
    assert told["item"] == {"item": "i3", "title": "Item <3>"}
    assert told["source"] == {"model": "mtmh", "version": "v", "fallback": None}
    assert len(told["items"]) == 5 and "i3" not in ids(told)
    ends = [headed.get(f"/v1/items/i3/similar?relevance={end}").json() for end in (0, 1)]
    assert ids(ends[0]) != ids(ends[1])
    first = ids(told)[0]
    assert headed.put(f"/v1/items/{first}", json={"hidden": True}).status_code == 200
    assert first not in ids(headed.get("/v1/items/i3/similar?k=5").json())
    assert first in ids(headed.get("/v1/items/i3/similar?k=5&availability=any").json())


def test_for_a_run_without_heads_it_is_counted(client: TestClient) -> None:
    told = client.get("/v1/items/i3/similar?k=3").json()
    assert told["source"]["model"] == "counted" and len(ids(told)) == 3


def test_items_are_found_by_title(client: TestClient) -> None:
    told = client.get("/v1/items", params={"q": "item <7>", "k": 3}).json()
    assert told["items"][0] == {"item": "i7", "title": "Item <7>"}
    assert client.get("/v1/items?q=Itme").json()["items"]  # mistyped


def test_what_is_popular_and_what_is_new(client: TestClient, opened: Opened) -> None:
    popular, latest = (client.get(f"/v1/{name}?k=4").json() for name in ("popular", "latest"))
    assert ids(popular) == [one.item for one in opened.saved.recommend("nobody", 4).items]
    assert popular["source"]["fallback"] is None and latest["source"]["model"] == "latest"
    for name in ("popular", "latest"):
        told = client.get(f"/v1/{name}?k=3&offset=1&only=Odd").json()
        assert all("Odd" in item["categories"] for item in told["items"])


def test_a_hidden_item_is_nowhere_until_it_is_offered_again(client: TestClient) -> None:
    path = "/v1/users/u1/recommendations?k=3"
    first = ids(client.get(path).json())[0]
    assert client.delete(f"/v1/items/{first}").json() == {
        "item": first,
        "hidden": True,
        "until": None,
    }
    body = {"history": [], "k": 50}
    assert first not in ids(client.get(path).json())
    assert first not in ids(client.get("/v1/popular?k=50").json())
    assert first not in ids(client.get("/v1/latest?k=50").json())
    assert first not in ids(client.post("/v1/recommendations", json=body).json())
    assert first in ids(client.get(f"{path}&availability=any").json())
    assert client.put(f"/v1/items/{first}", json={"hidden": False}).status_code == 200
    assert first in ids(client.get(path).json())


def test_hiding_ends_when_it_is_said(client: TestClient) -> None:
    until = time.time() + 2
    assert client.put("/v1/items/i5", json={"hidden": True, "until": until}).status_code == 200
    assert "i5" not in ids(client.get("/v1/popular?k=50").json())
    while "i5" not in ids(client.get("/v1/popular?k=50").json()):
        assert time.time() < until + 60
        time.sleep(0.1)
    assert time.time() >= until


@pytest.mark.parametrize(
    "body", [{"hidden": True, "until": 1}, {"hidden": False, "until": 4e9}, {}, {"hidden": "yes"}]
)
def test_hiding_without_effect_is_refused(client: TestClient, body: dict[str, object]) -> None:
    response = client.put("/v1/items/i5", json=body)
    assert response.status_code == 422
    error_of(response)


def test_an_item_may_be_called_anything(client: TestClient) -> None:
    for path in ("%2E%2E%2F..%2Fetc", "%3Cb%3E", "a%20b%3F%23%25"):
        response = client.delete(f"/v1/items/{path}")
        assert response.status_code == 200 and response.json()["hidden"]
        assert response.headers["content-type"] == "application/json"
