"""Ids in addresses of pages."""

from urllib.parse import unquote

import pytest

from tastemaker.serve.paths import routed
from tastemaker.serve.web.addresses import id_of, segment_of


@pytest.mark.parametrize(
    "id", ["42", ".", "..", "...", "=", "=..", "==", "a/b", "%2F", "%", "é ü?#&", "="]
)
def test_every_id_comes_back_and_no_browser_steps_up(id: str) -> None:
    segment = segment_of(id)
    assert unquote(segment) not in (".", "..") and not set(segment) & set("/?#")
    assert id_of(routed(segment.encode())) == id
