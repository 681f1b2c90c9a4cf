"""What every page is: whole HTML, strict about where it loads from."""

import re

import pytest
from starlette.requests import Request

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.templates import page

NASTY = "<script>alert('1')</script>\" onload=\"x\ud800"


def shown(opened: Opened, path: str, **values: object) -> str:
    request = Request({"type": "http", "method": "GET", "headers": [], "path": path})
    response = page("refused.html", request, opened, **values)  # type: ignore[arg-type]
    return bytes(response.body).decode()


def test_all_text_is_text(opened: Opened) -> None:
    text = shown(opened, "/users/u1", what=NASTY, where=NASTY, fix=NASTY, back=NASTY)
    assert text.count("<script") == 1 and "&lt;script&gt;" in text and 'onload="x' not in text


def test_a_page_without_a_value_is_a_bug_not_a_gap(opened: Opened) -> None:
    with pytest.raises(Exception, match="undefined"):
        shown(opened, "/", what="")


@pytest.mark.parametrize(
    ("path", "current"),
    [
        ("/", ("Overview", "page")),
        ("/users", ("Users", "page")),
        ("/users/u%2F1", ("Users", "true")),
    ],
)
def test_where_one_is_is_said(opened: Opened, path: str, current: tuple[str, str]) -> None:
    text = shown(opened, path, what="", where="", back="", fix="")
    assert re.findall(r'aria-current="(\w+)">(\w+)<', text) == [current[::-1]]


def test_nothing_is_loaded_from_elsewhere(opened: Opened) -> None:
    request = Request({"type": "http", "method": "GET", "headers": [], "path": "/"})
    values = {"what": "", "where": "", "back": "", "fix": ""}
    plain = page("refused.html", request, opened, **values)  # type: ignore[arg-type]
    framing = page("refused.html", request, opened, frames=True, **values)  # type: ignore[arg-type]
    policy = plain.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy and "frame-src" not in policy
    assert "frame-src 'self'" in framing.headers["content-security-policy"]
    assert plain.headers["cache-control"] == "no-store"
