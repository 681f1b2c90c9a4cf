"""The page of any history."""

import re

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.service import Service
from tastemaker.serve.web.try_pages import MOST
from tests.serve.web.pages import checked


def titles(text: str) -> list[str]:
    return re.findall(r'class="title" href="/items/([^"]+)"', text)


def test_nothing_chosen_gets_what_is_popular(client: TestClient) -> None:
    response = client.get("/try")
    checked(response)
    assert "what is popular" in response.text and titles(response.text)


def test_the_list_is_what_the_service_says_of_that_history(
    client: TestClient, service: Service
) -> None:
    response = client.get("/try?item=i1&item=i2&boost=Odd&weight=0.1")
    page = checked(response)
    body = {"history": [{"item_id": "i1"}, {"item_id": "i2"}], "k": 15, "boost": {"Odd": 0.1}}
    same = client.post("/v1/recommendations", json=body).json()["items"]
    assert titles(response.text) == [one["item"] for one in same]
    assert len(service.store) == 0
    assert any(link.startswith("/try?") and "item=i1" not in link for link in page.links())


def test_an_item_is_added_by_its_title_and_the_list_moves(client: TestClient) -> None:
    response = client.get("/try", params={"item": ["i1", "i2"], "q": "Item <20>"})
    checked(response)
    assert "was added." in response.text
    hidden = re.findall(r'type="hidden" name="item" value="([^"]+)"', response.text)
    assert hidden[:3] == ["i1", "i2", "i20"]


def test_a_title_that_is_not_clear_leaves_some_to_choose_from(client: TestClient) -> None:
    response = client.get("/try?item=i1&q=item")
    page = checked(response)
    assert "Which one is meant?" in response.text
    assert [link for link in page.links() if "item=i1" in link and "q=i" in link]
    nothing = client.get("/try?q=zzzzqqqq")
    checked(nothing)
    assert "No item is called" in nothing.text


def test_unknown_items_and_too_many_are_said(client: TestClient) -> None:
    said = client.get("/try?item=i1&item=%3Cb%3Ewho")
    checked(said)
    assert "this run does not know" in said.text and "<b>who" not in said.text
    many = "&".join(f"item=i{n}" for n in range(MOST + 1))
    refused = client.get(f"/try?{many}", headers={"accept": "text/html"})
    checked(refused)
    assert refused.status_code == 422


NASTY = ("%00", "%ff", "%F0%9F%98%80", "%0a", "a" * 201, "%ed%a0%80", "'%22<>&", "%25", "1e999")


@pytest.mark.parametrize("text", NASTY)
def test_nothing_that_is_typed_is_a_fault(client: TestClient, text: str) -> None:
    for query in (
        f"users?q={text}",
        f"users/{text}",
        f"users/u1?boost={text}",
        f"users/u1?weight={text}",
        f"users/u1?added={text}",
        f"users/u1?page={text}",
        f"items?q={text}",
        f"items/{text}",
        f"items/i5?relevance={text}",
        f"try?q={text}&item={text}",
    ):
        response = client.get(f"/{query}", headers={"accept": "text/html"})
        checked(response)
        assert response.status_code in (200, 404, 422), query
