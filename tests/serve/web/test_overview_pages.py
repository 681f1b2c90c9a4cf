"""The first page."""

import re
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from tastemaker.data.declaration import Declaration
from tastemaker.errors import Unavailable
from tastemaker.serve.app import create_app
from tastemaker.serve.day_counts import DayCounts
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.test_event_routes import event
from tests.serve.web.pages import Page, checked


def figures(page: Page) -> dict[str, str]:
    found = re.findall(r"<dt>(.*?)</dt><dd>(.*?)<span class=\"ends\">(.*?)</span>", page.text)
    return {name: f"{number} {rest}" for name, number, rest in found}


def test_everything_is_counted(client: TestClient, opened: Opened) -> None:
    card = opened.card()
    page = checked(client.get("/"))
    assert figures(page)["Users"].startswith(f"{card['users']:,} ")
    assert figures(page)["Events of the log"].startswith(f"{card['events']:,} ")
    assert figures(page)["Events told since"] == "0 0 today, 0 in 7 days"
    client.post("/v1/events", json={"events": [event(1), event(2)]})
    client.delete("/v1/items/i1")
    client.get("/v1/users/u1/recommendations?k=3")
    page = checked(client.get("/"))
    assert figures(page)["Events told since"] == "2 2 today, 2 in 7 days"
    assert figures(page)["Items"].endswith("1 hidden")
    assert figures(page)["Lists recommended"].startswith("1 ")
    assert len([link for link in page.links() if link.startswith("/items/")]) == 3
    assert "/v1/users/{user}/recommendations" in page.text.replace("<wbr>", "")


@pytest.mark.parametrize("days", [7, 30, 90])
def test_how_far_back_is_chosen(client: TestClient, days: int) -> None:
    client.post("/v1/events", json={"events": [event(1)]})
    page = checked(client.get(f"/?days={days}"))
    assert page.text.count('class="day"') == 2 * days
    assert f'<a href="/?days={days}" aria-current="true"' in page.text


@pytest.mark.parametrize(
    "query", ["days=8", "days=x", "days=", "days=-7", "idle=1", "days=7&days=7"]
)
def test_other_windows_are_refused(client: TestClient, query: str) -> None:
    response = client.get(f"/?{query}")
    assert response.status_code == 422
    checked(response)


def test_before_anything_is_told_the_log_is_shown_as_such(client: TestClient) -> None:
    page = checked(client.get("/"))
    assert "Nothing was told to this server yet." in page.text and page.all("svg")
    client.post("/v1/events", json={"events": [event(1)]})
    assert "Nothing was told" not in checked(client.get("/")).text


def test_what_is_not_counted_yet_is_said(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post("/v1/events", json={"events": [event(1)]})
    whole = DayCounts.read
    monkeypatch.setattr(DayCounts, "read", lambda self, today: whole(self, today, patience=0))
    page = checked(client.get("/"))
    assert "Still counting" in page.text and "data-again" in page.text
    assert figures(page)["Events told since"].startswith("1 ")
    monkeypatch.setattr(DayCounts, "read", whole)
    assert "Still counting" not in checked(client.get("/")).text


def with_kinds(opened: Opened, kinds: list[str], timed: bool = True) -> Opened:
    data = opened.saved.data
    events = dict.fromkeys(kinds, "implicit_positive") | data.declared.events
    declared = Declaration(events=events)  # type: ignore[arg-type]
    log = data.interactions if timed else replace(data.interactions, times=None)
    return Opened(
        replace(opened.saved, data=replace(data, declared=declared, interactions=log)), "k"
    )


def test_kinds_from_outside_are_text(opened: Opened, kept: Store) -> None:
    kinds = ["<script>alert(1)</script>", '"><img src=x onerror=y>', *map(str, range(9))]
    with TestClient(create_app(Service(with_kinds(opened, kinds), kept, LIMITS))) as client:
        batch = [event(n, kind=kind) for n, kind in enumerate(kinds)]
        assert client.post("/v1/events", json={"events": batch}).status_code == 200
        page = checked(client.get("/"))
        assert "<script>alert" not in page.text and "<img src=x" not in page.text
        assert "&lt;script&gt;alert(1)" in page.text and "6 others" in page.text


def test_a_log_without_times_has_no_days(opened: Opened, kept: Store) -> None:
    with TestClient(create_app(Service(with_kinds(opened, [], False), kept, LIMITS))) as client:
        assert "has no times" in checked(client.get("/")).text


def test_another_run_is_looked_at_anew(client: TestClient, service: Service) -> None:
    client.post("/v1/events", json={"events": [event(1, kind="")]})
    client.get("/v1/users/u1/recommendations")
    assert figures(checked(client.get("/")))["Lists recommended"].startswith("1 ")
    service.run = with_kinds(service.run, ["before"])
    page = checked(client.get("/"))
    assert figures(page)["Lists recommended"].startswith("0 ")
    assert figures(page)["Events told since"].startswith("1 ")


def test_a_database_that_is_away_is_said(
    client: TestClient, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The database does not answer.", "it", "Start it.")

    monkeypatch.setattr(kept.database, "reading", away)
    response = client.get("/")
    assert response.status_code == 503
    checked(response)
