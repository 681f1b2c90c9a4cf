"""What a page changes of a user."""

import re

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


def test_an_event_is_added_and_the_list_says_how_it_moved(
    client: TestClient, service: Service
) -> None:
    for item in ("i1", "i2"):
        done = send(client, "/users/new/events", item=item, kind="view", token=item)
        assert done.status_code == 303
    address = done.headers["location"]
    assert re.fullmatch(r"/users/new\?added=page-[0-9a-f]{32}#next", address)
    assert [event.item_id for event in service.store.history("new", 9)] == ["i1", "i2"]
    response = client.get(address.partition("#")[0])
    page = checked(response)
    assert "Item &lt;2&gt;" in response.text and "was added." in response.text
    assert [attrs for attrs in page.all("p") if attrs.get("role") == "status"]
    # Without the comparison the same list stands there.
    alone = client.get("/users/new").text
    assert re.findall(r'class="title" href="([^"]+)"', alone) == re.findall(
        r'class="title" href="([^"]+)"', response.text
    )
    assert "was added." not in alone


def test_the_wishes_stay_when_an_event_is_added(client: TestClient) -> None:
    done = send(client, "/users/new/events?boost=Odd&weight=0.3", item="i1", token="t")
    assert "boost=Odd&weight=0.3&added=" in done.headers["location"]


def test_a_form_sent_twice_adds_one_event(client: TestClient, service: Service) -> None:
    for _ in range(2):
        assert send(client, "/users/new/events", item="i1", token="t").status_code == 303
    assert len(service.store) == 1


def test_a_title_that_is_not_clear_asks_which_is_meant(
    client: TestClient, service: Service
) -> None:
    asked = send(client, "/users/new/events", item="Item", kind="view", token="t", time="")
    page = checked(asked)
    assert asked.status_code == 200 and len(service.store) == 0
    radios = [attrs for attrs in page.all("input") if attrs.get("type") == "radio"]
    hidden = {a["name"]: a["value"] for a in page.all("input") if a.get("type") == "hidden"}
    assert len(radios) > 1 and hidden == {"kind": "view", "token": "t"}
    done = send(client, "/users/new/events", item=radios[1]["value"], **hidden)
    assert done.status_code == 303 and len(service.store) == 1


def test_a_title_that_is_near_nothing_says_so(client: TestClient, service: Service) -> None:
    said = send(client, "/users/new/events", item="zzzzqqqq", token="t")
    checked(said)
    assert "No item is called" in said.text and len(service.store) == 0


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"item": "  "},
        {"item": "i1", "kind": "nonsense"},
        {"item": "i1", "value": "many"},
        {"item": "i1", "time": "soon"},
        {"item": "i1", "time": "2199-01-01T00:00"},
        {"item": "i1", "other": "x"},
    ],
)
def test_what_cannot_be_meant_is_refused_as_a_page(
    client: TestClient, service: Service, fields: dict[str, str]
) -> None:
    refused = send(client, "/users/new/events", **fields)
    if fields.get("item", "x").strip():
        checked(refused)
        assert refused.status_code == 422
    assert len(service.store) == 0


def test_a_user_is_erased_only_by_who_means_it(client: TestClient, service: Service) -> None:
    send(client, "/users/u1/events", item="i1", token="t")
    assert send(client, "/users/u1/erase").status_code == 422
    assert len(service.store) == 1
    done = send(client, "/users/u1/erase", sure="yes")
    assert (done.status_code, done.headers["location"]) == (303, "/users?erased=1")
    page = client.get(done.headers["location"])
    checked(page)
    assert "1 event told" in page.text and "u1" not in re.findall(r">(u\d+)<", page.text)
    gone = client.get("/users/u1")
    checked(gone)
    assert "This user was erased" in gone.text and len(service.store) == 0


def test_what_happened_before_the_erasure_does_not_come_back(client: TestClient) -> None:
    send(client, "/users/u1/erase", sure="yes")
    refused = send(client, "/users/u1/events", item="i1", time="2001-01-01T00:00")
    assert refused.status_code == 422 and "before the user was erased" in refused.text


def test_another_site_cannot_change_anything(client: TestClient, service: Service) -> None:
    for path, fields in (("events", {"item": "i1"}), ("erase", {"sure": "yes"})):
        away = {"origin": "https://elsewhere.example"}
        refused = client.post(f"/users/u1/{path}", data=fields, headers=away)
        assert refused.status_code == 403
    assert len(service.store) == 0 and service.store.erased(["u1"]) == {}
