"""Which requests came from this server's own pages."""

import pytest
from starlette.requests import Request

from tastemaker.serve.refusals import Refused
from tastemaker.serve.web.origin import from_here, same_origin

HOST = {"host": "shop.example:8000"}


@pytest.mark.parametrize(
    ("method", "headers", "here"),
    [
        ("POST", {"sec-fetch-site": "same-origin"}, True),
        ("GET", {"sec-fetch-site": "none"}, True),
        ("POST", {"sec-fetch-site": "same-site"}, False),
        ("GET", {"sec-fetch-site": "cross-site"}, False),
        ("POST", {"sec-fetch-site": "cross-site", "origin": "http://shop.example:8000"}, False),
        ("POST", {"origin": "http://shop.example:8000"}, True),
        ("POST", {"origin": "HTTPS://Shop.example:8000"}, True),
        ("POST", {"origin": "http://shop.example"}, False),
        ("POST", {"origin": "http://evil.example"}, False),
        ("POST", {"origin": "http://[evil"}, False),
        ("POST", {"origin": "null"}, False),
        ("POST", {"origin": ""}, False),
        ("POST", {}, False),
        ("GET", {}, True),
    ],
)
def test_other_sites_are_told_apart(method: str, headers: dict[str, str], here: bool) -> None:
    assert from_here(method, HOST | headers) is here
    raw = [(name.encode(), value.encode()) for name, value in (HOST | headers).items()]
    request = Request({"type": "http", "method": method, "headers": raw, "path": "/"})
    if here:
        same_origin(request)
    else:
        with pytest.raises(Refused) as error:
            same_origin(request)
        assert error.value.status == 403


def test_no_host_is_nobodys() -> None:
    assert not from_here("POST", {"origin": "null"})
    assert not from_here("POST", {"origin": "", "host": ""})
