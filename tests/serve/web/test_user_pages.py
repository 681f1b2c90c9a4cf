"""Pages of users."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tastemaker.serve.web.filters import user_link
from tests.run.thinking import thinking
from tests.serve.served import LIMITS
from tests.serve.web.pages import checked


def test_users_are_listed_and_found(client: TestClient, service: Service) -> None:
    service.store.append([Event("e1", "anna", "i1", 2e9)])
    page = checked(client.get("/users"))
    assert "/users/anna" in page.links() and "/users?page=2#log" in page.links()
    found = checked(client.get("/users?q=ann"))
    assert "/users/anna" in found.links()
    nobody = checked(client.get("/users?q=nobody"))
    assert "/users/nobody" in nobody.links()  # to begin a history with
    checked(client.get("/users?page=99999999"))
    checked(client.get("/users?q="))


def test_a_user_of_the_log_is_shown_whole(client: TestClient, opened: Opened) -> None:
    response = client.get("/users/u1")
    page = checked(response)
    assert page.title.startswith("u1")
    ids = {attrs["id"] for _, attrs in page.tags if "id" in attrs}
    assert {"next", "events", "tastes", "interests", "erase", "list"} <= ids
    listed = client.get("/v1/users/u1/recommendations?k=15&because=true").json()["items"]
    for item in listed:
        assert f"/items/{item['item']}" in page.links()
    assert "Because of" in response.text
    others = [name for name in opened.saved.models.names if name != opened.model]
    assert {f"/users/u1?model={name}#next" for name in others} <= set(page.links())


def test_each_model_of_the_run_has_a_list(client: TestClient, opened: Opened) -> None:
    for name in opened.saved.models.names:
        page = checked(client.get("/users/u1", params={"model": name}))
        current = [attrs for attrs in page.all("a") if attrs.get("aria-current") == "true"]
        assert any(name in attrs["href"] or name == opened.model for attrs in current)


def test_a_list_is_steered_by_its_address(client: TestClient) -> None:
    steered = client.get("/users/u1?boost=Odd&weight=0.5&only=All&diversify=0")
    page = checked(steered)
    chosen = [attrs for attrs in page.all("option") if "selected" in attrs]
    assert [attrs["value"] for attrs in chosen] == ["Odd", "All"]
    assert "Only from: All" in steered.text and "Favoured groups: Odd" in steered.text


@pytest.mark.parametrize("query", ["boost=Nonsense", "model=nonsense", "only=Nonsense"])
def test_a_wish_that_cannot_be_stands_in_place_of_the_list(client: TestClient, query: str) -> None:
    response = client.get(f"/users/u1?{query}")
    checked(response)
    assert response.status_code == 200 and "warnings" in response.text
    assert "What they did" in response.text


@pytest.mark.parametrize("query", ["weight=9", "page=0", "diversify=2", "other=1", "page=x"])
def test_a_query_that_says_nothing_is_refused_as_a_page(client: TestClient, query: str) -> None:
    response = client.get(f"/users/u1?{query}", headers={"accept": "text/html"})
    checked(response)
    assert response.status_code == 422


def test_somebody_new_gets_what_is_popular(client: TestClient) -> None:
    response = client.get("/users/nobody")
    checked(response)
    assert "Nothing is known of this user yet" in response.text
    assert 'class="listed"' in response.text


IDS = [
    "..",
    ".",
    "=..",
    "a/b",
    "%",
    "%2F",
    "<script>alert(1)</script>",
    "é ü",
    "a?b#c",
    "x" * 500,
    'it\'s "so"',
]


@pytest.mark.parametrize("user", IDS)
def test_an_id_may_have_any_letters(client: TestClient, service: Service, user: str) -> None:
    service.store.append([Event(f"e {user}", user, "i1", 2e9)])
    address = user_link(user)
    response = client.get(address)
    page = checked(response)
    assert "<script>" not in response.text
    actions = [attrs["action"] for attrs in page.all("form")]
    assert f"{address}/events" in actions and f"{address}/erase" in actions
    assert address in checked(client.get("/users")).links()


def test_titles_and_ids_are_text(client: TestClient, service: Service) -> None:
    service.store.append([Event("e1", "u", "<b>i</b>", 2e9)])
    text = client.get("/users/u").text
    assert "<b>i</b>" not in text and "&lt;b&gt;i&lt;/b&gt;" in text
    assert "Item &lt;" in text and "Item <" not in text


def test_pages_of_events_keep_the_wishes(client: TestClient, service: Service) -> None:
    batch = [Event(f"e{n}", "u", f"i{n}", 2e9 + n) for n in range(20)]
    service.store.append(batch)
    page = checked(client.get("/users/u?boost=Odd"))
    assert "/users/u?boost=Odd&weight=0.2&page=2#events" in page.links()
    assert "/users/u?page=1#events" in checked(client.get("/users/u?page=2")).links()


def test_ranks_of_other_models_are_shown_where_asked(client: TestClient) -> None:
    assert "elsewhere" not in client.get("/users/u1").text
    response = client.get("/users/u1?others=true&boost=Odd")
    checked(response)
    assert response.text.count("elsewhere") == 15 and "ease <strong>" in response.text


def test_what_a_model_thought_is_shown(opened: Opened, kept: Store) -> None:
    thinks = replace(opened, saved=thinking(opened.saved))
    with TestClient(create_app(Service(thinks, kept, LIMITS))) as client:
        response = client.get("/users/u1?model=vrec")
        checked(response)
        assert "What the model thought" in response.text and "Its thought:" in response.text
        assert "What the model thought" not in client.get("/users/nobody?model=vrec").text


def test_a_log_without_times_has_a_history_in_order(opened: Opened, kept: Store) -> None:
    saved = opened.saved
    whole, learnt = (
        replace(log, times=None) for log in (saved.data.interactions, saved.interactions)
    )
    data = replace(saved.data, interactions=whole)
    bare = replace(opened, saved=replace(saved, data=data, interactions=learnt))
    with TestClient(create_app(Service(bare, kept, LIMITS))) as client:
        response = client.get("/users/u1")
        checked(response)
        assert 'class="strip"' not in response.text and 'class="deeds"' in response.text
        checked(client.get("/users"))
        checked(client.get("/items/i5"))
