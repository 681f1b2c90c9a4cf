"""Errors of pages are pages; those of programs stay JSON."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tastemaker.errors import Unavailable
from tastemaker.serve.app import create_app
from tastemaker.serve.limits import Limits
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.web.pages import checked

HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/users/u1/none/such", 404),
        ("GET", "/model/none", 404),
        ("GET", "/web/none.css", 404),
        ("GET", "/search", 422),
        ("GET", "/search?q=a&q=b", 422),
        ("GET", "/search?q=a&idle=<script>", 422),
        ("GET", "/items/%ff", 422),
        ("DELETE", "/", 405),
        ("PATCH", "/model", 405),
    ],
)
def test_a_page_that_is_refused_is_a_page(
    client: TestClient, method: str, path: str, status: int
) -> None:
    response = client.request(method, path)
    assert response.status_code == status
    assert "<script>" not in response.text
    assert "What to do" in response.text
    checked(response)


def test_programs_get_json_whatever_they_accept(client: TestClient) -> None:
    for path in ("/v1/none", "/v1/users/%ff/history", "/v1/model?idle=1", "/metrics/none"):
        response = client.get(path, headers=HTML)
        assert response.status_code >= 400
        assert response.json()["error"]["what"]


def test_an_unknown_path_is_told_as_it_is_asked(client: TestClient) -> None:
    assert client.get("/none").json()["error"]["what"]
    assert checked(client.get("/none", headers=HTML)).title


def test_a_database_that_is_away_is_said_with_when_to_come_again(
    client: TestClient, kept: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise Unavailable("The database does not answer.", "it", "Start it.")

    monkeypatch.setattr(kept, "told", away)
    response = client.get("/search?q=u1")
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    text = checked(response).text
    assert "The store does not answer now." in text and "database" not in text


def test_a_bug_is_a_page_too(client: TestClient, service: Service) -> None:
    service.store = None  # type: ignore[assignment]
    response = client.get("/search?q=u1")
    assert response.status_code == 500 and "secret" not in response.text
    checked(response)


@pytest.fixture
def strict(opened: Opened, tmp_path: Path) -> Iterator[TestClient]:
    with Store.open(tmp_path / "strict.sqlite") as store:
        service = Service(opened, store, Limits(rate=0.01, burst=1))
        with TestClient(create_app(service, hosts=("testserver",))) as client:
            yield client


def test_what_the_door_refuses_is_a_page_that_names_no_run(
    strict: TestClient, opened: Opened
) -> None:
    first = strict.get("/", headers={"Host": "evil.example"})
    assert first.status_code == 421
    assert strict.get("/sign-in").status_code == 404
    second = strict.get("/")
    assert second.status_code == 429 and int(second.headers["retry-after"]) >= 1
    for response in (first, second):
        assert opened.version not in checked(response).text


@pytest.mark.parametrize(
    ("before", "link"),
    [
        ("http://testserver/users/u1?k=5", "/users/u1?k=5"),
        ("http://testserver/nowhere", ""),  # where one is
        ("http://evil.example/users/u1", ""),
        ("", ""),
    ],
)
def test_who_is_refused_finds_the_way_back(client: TestClient, before: str, link: str) -> None:
    response = client.get("/nowhere", headers=HTML | {"Referer": before})
    assert (f'<a href="{link}">Back to where you were</a>' in response.text) == bool(link)
    assert ("Back to where" in response.text) == bool(link)
