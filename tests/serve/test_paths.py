"""Ids in paths: any text survives the way to the route and back."""

from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.serve.paths import decoded, routed


@settings(max_examples=100, deadline=None)
@given(st.text(st.characters(exclude_categories=("Cs",))))
def test_any_id_comes_back(text: str) -> None:
    path = routed(f"/v1/items/{quote(text, safe='')}/similar".encode())
    before, after = path.removeprefix("/v1/items/"), "/similar"
    assert path.count("/") == 4
    assert decoded(before.removesuffix(after)) == text


@pytest.mark.parametrize("sent", [b"/a%2Fb", b"/a%2fb"])
def test_an_encoded_slash_parts_nothing(sent: bytes) -> None:
    assert routed(sent) == "/a%2Fb"
    assert routed(b"/a/b") == "/a/b"
    assert routed(b"/%252F") == "/%252F" and decoded("%252F") == "%2F"


def test_what_is_no_utf8_is_refused() -> None:
    with pytest.raises(BadInput):
        routed(b"/%ff")
