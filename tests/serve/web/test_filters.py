"""How pages write links, times and numbers."""

from datetime import date
from urllib.parse import unquote

import pytest
from markupsafe import Markup

from tastemaker.serve.web import filters


@pytest.mark.parametrize("id", ["42", "a/b", "50%", "é ?&#\"'<", "..a", "%2F"])
def test_a_link_holds_any_id_in_one_segment(id: str) -> None:
    for link, folder in ((filters.user_link, "users"), (filters.item_link, "items")):
        parts = link(id).split("/")
        assert parts[:2] == ["", folder] and len(parts) == 3
        assert unquote(parts[2]) == id
        assert link(id).isascii() and not set(link(id)) & set(" ?#&\"'<")


@pytest.mark.parametrize("id", [".", ".."])
def test_what_browsers_take_for_a_step_has_a_sign_before_it(id: str) -> None:
    assert filters.user_link(id) == f"/users/%3D{id}"


def test_times_are_for_people_and_programs() -> None:
    shown = filters.moment(1767225600.4)
    assert isinstance(shown, Markup)
    assert 'datetime="2026-01-01T00:00:00Z"' in shown and ">1 Jan 2026, 00:00<" in shown
    assert filters.moment(None) == filters.NOTHING
    assert filters.moment(1e18) == "1000000000000000000 s"


def test_numbers_are_read_at_a_glance() -> None:
    assert filters.number(1234567) == "1,234,567"
    assert filters.number(0.12345, 3) == "0.123"
    assert filters.percent(0.1234) == "12.3\u202f%"
    assert filters.milliseconds(0.00123) == "1.23 ms"
    assert filters.milliseconds(2.5) == "2.50 s"
    for filter in (filters.number, filters.percent, filters.milliseconds):
        assert filter(None) == filters.NOTHING
    assert filters.points(0.0123) == "+1.2 points" and filters.points(-0.5) == "−50.0 points"
    assert filters.points(0.0) == "±0.0 points"
    assert filters.day(date(2026, 1, 31)) == "31 Jan 2026"
    assert filters.slashes("/a/<b>") == "/<wbr>a/<wbr>&lt;b&gt;"
