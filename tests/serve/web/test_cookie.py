"""A key in a cookie."""

import pytest
from starlette.types import Scope

from tastemaker.serve.web.cookie import COOKIE, cookie_of, key_in_cookie


def asked(cookie: str, **headers: str) -> Scope:
    sent = {"cookie": cookie, "host": "here", **headers}
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in sent.items()]
    return {"type": "http", "method": "GET", "headers": raw}


@pytest.mark.parametrize("key", [b"sesame", 'é "; ='.encode(), bytes(range(256))])
def test_any_key_comes_back(key: bytes) -> None:
    value = cookie_of(key)
    assert key.decode("latin-1") not in value
    assert key_in_cookie(asked(f"other=1; {COOKIE}={value}")) == key


def test_another_sites_page_has_no_key() -> None:
    cookie = f"{COOKIE}={cookie_of(b'sesame')}"
    assert key_in_cookie(asked(cookie, sec_fetch_site="same-origin")) == b"sesame"
    assert key_in_cookie(asked(cookie, sec_fetch_site="cross-site")) == b""
    assert key_in_cookie(asked(cookie, origin="http://elsewhere")) == b""


@pytest.mark.parametrize("cookie", ["", "other=1", f"{COOKIE}=", f"{COOKIE}=a", f"{COOKIE}=é"])
def test_what_is_no_cookie_holds_no_key(cookie: str) -> None:
    assert key_in_cookie(asked(cookie)) == b""
