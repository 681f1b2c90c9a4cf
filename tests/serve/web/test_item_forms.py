"""Whether an item is offered, changed by forms."""

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.service import Service
from tests.serve.web.pages import checked

HERE = {
    "origin": "http://testserver",
    "accept": "text/html",
    "content-type": "application/x-www-form-urlencoded",
}


def send(client: TestClient, path: str, **fields: str):  # type: ignore[no-untyped-def]
    return client.post(path, data=fields, headers=HERE, follow_redirects=False)


def listed(client: TestClient) -> list[str]:
    told = client.get("/v1/popular?k=50").json()
    return [one["item"] for one in told["items"]]


def test_an_item_is_hidden_and_offered_again(client: TestClient) -> None:
    assert "i5" in listed(client)
    done = send(client, "/items/i5/hide", until="")
    assert (done.status_code, done.headers["location"]) == (303, "/items/i5")
    assert "i5" not in listed(client)
    page = client.get("/items/i5")
    checked(page)
    assert "Offer it again" in page.text
    assert send(client, "/items/i5/offer").status_code == 303
    assert "i5" in listed(client) and "Hide it" in client.get("/items/i5").text


def test_an_item_is_hidden_until_a_time(client: TestClient, service: Service) -> None:
    assert send(client, "/items/i5/hide", until="2099-12-31T00:00").status_code == 303
    assert service.store.hidden() == {"i5"} and service.store.hidden(4_102_444_000.0) == frozenset()


@pytest.mark.parametrize("until", ["2001-01-01T00:00", "soon"])
def test_a_time_that_cannot_be_is_refused(client: TestClient, service: Service, until: str) -> None:
    refused = send(client, "/items/i5/hide", until=until)
    checked(refused)
    assert refused.status_code == 422 and not service.store.hidden()


def test_only_an_item_that_there_is_can_be_hidden(client: TestClient, service: Service) -> None:
    assert send(client, "/items/nonsense/hide").status_code == 404
    assert not service.store.hidden()


def test_another_site_cannot_hide_anything(client: TestClient, service: Service) -> None:
    away = {"origin": "https://elsewhere.example", "content-type": HERE["content-type"]}
    assert client.post("/items/i5/hide", headers=away).status_code == 403
    assert not service.store.hidden()
