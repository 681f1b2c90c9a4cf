"""Signing in with a browser, where keys are needed."""

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.service import Service
from tastemaker.serve.web.signing_in import local

HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def locked(service: Service) -> Iterator[TestClient]:
    app = create_app(service, KeyFile.of({"shop": "sesame/é"}))
    with TestClient(app, follow_redirects=False) as client:
        yield client


def signed_in(client: TestClient, after: str = "/") -> str:
    form = {"key": "sesame/é", "after": after}
    response = client.post("/sign-in", data=form, headers=HERE)
    assert response.status_code == 303
    assert response.headers["location"] == local(after)
    return response.headers["set-cookie"]


def test_without_a_key_every_page_asks_for_one_and_says_nothing(locked: TestClient) -> None:
    for path in ("/", "/model", "/search?q=u1", "/users/u1", "/items/<b>", "/sign-in"):
        response = locked.get(path)
        assert response.status_code == (200 if path == "/sign-in" else 401), path
        assert 'type="password"' in response.text and "<b>" not in response.text
        assert "sasrec" not in response.text and "blend" not in response.text
    for path in ("/web/web.css", "/web/page.js", "/web/page.css", "/web/icon.svg"):
        assert locked.get(path).status_code == 200


def test_a_cookie_opens_pages_and_routes_until_one_signs_out(locked: TestClient) -> None:
    cookie = signed_in(locked, "/search?q=u1")
    for part in ("HttpOnly", "SameSite=strict", "Path=/"):
        assert part in cookie
    assert "Secure" not in cookie and "sesame" not in cookie
    page = locked.get("/")
    assert page.status_code == 200 and "shop" in page.text and "sesame" not in page.text
    assert locked.get("/v1/model", headers=HERE).status_code == 200
    for elsewhere in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://elsewhere"}):
        assert locked.get("/v1/model", headers=elsewhere).status_code == 401
        assert locked.delete("/v1/users/u1", headers=elsewhere).status_code == 401
        assert locked.post("/sign-out", headers=elsewhere).status_code == 401
    assert locked.delete("/v1/users/u1").status_code == 401  # nothing says which page asks
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert locked.post("/sign-out", headers=HERE | form).status_code == 303
    assert locked.get("/").status_code == 401


def test_the_cookie_is_for_safe_connections_where_there_is_one(service: Service) -> None:
    app = create_app(service, KeyFile.of({"shop": "sesame/é"}))
    with TestClient(app, "https://shop.example", follow_redirects=False) as client:
        assert "Secure" in signed_in(client)


def test_a_wrong_key_is_told_and_asked_for_again(locked: TestClient) -> None:
    response = locked.post("/sign-in", data={"key": "guess", "after": "/model"}, headers=HERE)
    assert response.status_code == 401 and 'role="alert"' in response.text
    assert "set-cookie" not in response.headers and "guess" not in response.text
    assert locked.post("/sign-in", data={"key": ""}, headers=HERE).status_code == 422
    assert locked.post("/sign-in", data={"key": "sesame/é"}).status_code == 403


@pytest.mark.parametrize(
    ("after", "goes"),
    [
        ("/users/a%2Fb?k=2", "/users/a%2Fb?k=2"),
        ("//evil.example", "/"),
        ("/\\evil.example", "/"),
        ("https://evil.example", "/"),
        ("/\r\nSet-Cookie: a=b", "/"),
        ("", "/"),
    ],
)
def test_it_leads_to_pages_of_this_server_alone(after: str, goes: str) -> None:
    assert local(after) == goes


def test_where_no_key_is_needed_nobody_signs_in(client: TestClient) -> None:
    assert client.get("/sign-in").status_code == 404
    assert "Sign out" not in client.get("/").text
