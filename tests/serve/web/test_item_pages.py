"""Pages of items."""

import re
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.service import Service
from tests.serve.web.pages import checked


def test_items_are_listed_and_hidden_ones_marked(client: TestClient, service: Service) -> None:
    service.store.hide("i5")
    response = client.get("/items")
    page = checked(response)
    assert "/items?page=2#lists" in page.links() and "/items/i5" in page.links()
    assert "1 item is offered to nobody" in response.text
    checked(client.get("/items?page=2"))
    assert client.get("/items?page=99", headers={"accept": "text/html"}).status_code == 422


def test_items_are_found_by_title_near_misses_too(client: TestClient, service: Service) -> None:
    service.store.hide("i12")
    for text in ("Item <12>", "itme 12", "i12"):
        response = client.get("/items", params={"q": text})
        assert "/items/i12" in checked(response).links() and "hidden" in response.text
    nothing = client.get("/items", params={"q": "zzzzqqqq"})
    checked(nothing)
    assert "no title is near it" in nothing.text


def test_an_item_says_what_it_is_and_not_who_chose_it(client: TestClient) -> None:
    response = client.get("/items/i5")
    page = checked(response)
    assert page.title.startswith("Item <5>") or "Item" in page.title
    assert re.search(r"\d+ events of \d+ users", response.text)
    assert not re.search(r"/users/u\d+", response.text)
    assert "Item <5>" not in response.text.replace("&lt;", "")


def test_an_unknown_item_is_not_there(client: TestClient) -> None:
    response = client.get("/items/nonsense", headers={"accept": "text/html"})
    checked(response)
    assert response.status_code == 404


def test_the_dial_chooses_what_goes_with_an_item(headed: TestClient) -> None:
    lists = []
    for share in (0, 0.5, 1):
        response = headed.get(f"/items/i5?relevance={share}")
        page = checked(response)
        (dial,) = [attrs for attrs in page.all("input") if attrs.get("type") == "range"]
        assert float(dial["value"]) == share and dial["step"] == "0.05"
        lists.append(re.findall(r'class="title" href="/items/([^"]+)"', response.text))
        same = headed.get(f"/v1/items/i5/similar?relevance={share}&k=15").json()["items"]
        assert lists[-1] == [one["item"] for one in same]
    assert lists[0] != lists[2]
    assert headed.get("/items/i5").status_code == 200
    assert headed.get("/items/i5?relevance=2").status_code == 422


def test_what_cannot_be_said_stands_in_place_of_the_list(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, service: Service
) -> None:
    from tastemaker.serve.refusals import unknown

    async def refuses(*_: object) -> None:
        raise unknown("This model does not say.", "item", "Serve another.")

    monkeypatch.setattr(service, "similar", refuses)
    response = client.get("/items/i5")
    checked(response)
    assert response.status_code == 200 and "This model does not say." in response.text


@pytest.mark.parametrize("item", ["a/b", "<i>", "%41"])
def test_an_unknown_id_may_have_any_letters(client: TestClient, item: str) -> None:
    response = client.get(f"/items/{quote(item, safe='')}", headers={"accept": "text/html"})
    checked(response)
    assert response.status_code == 404 and "<i>" not in response.text


def test_pictures_are_shown_where_the_catalogue_has_them(
    seen: TestClient, client: TestClient, shots: Path
) -> None:
    page = checked(seen.get("/items/i4"))
    (large,) = [attrs for attrs in page.all("img") if "picture" in attrs.get("class", "")]
    assert large["src"] == "/items/i4/picture" and large["alt"]
    assert seen.get(large["src"]).headers["content-type"] == "image/jpeg"
    small = [attrs["src"] for attrs in page.all("img") if attrs.get("class") == "thumb"]
    assert len(small) >= 10 and str(shots) not in page.text and "4.png" not in page.text
    bare = checked(seen.get("/items/i0"))
    assert "/items/i0/picture" not in bare.text
    assert seen.get("/items/i0/picture").status_code == 404
    for path in ("/items", "/users/u1", "/try?item=i3", "/search?q=item%207", "/items?q=item%207"):
        assert [a for a in checked(seen.get(path)).all("img") if a.get("class") == "thumb"], path
        plain = checked(client.get(path))
        assert "thumb" not in plain.text and "picture" not in plain.text.lower(), path
