"""Times that a form brings."""

import pytest

from tastemaker.errors import BadInput
from tastemaker.serve.web.times import time_of


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:01", 60),
        ("1970-01-01T00:01:30", 90),
        ("1970-01-01T02:00+02:00", 0),
        ("1970-01-02", 86_400),
    ],
)
def test_a_time_is_utc_where_it_does_not_say(text: str, seconds: float) -> None:
    assert time_of(text, "time") == seconds


@pytest.mark.parametrize(
    "text",
    ["now", "2026-13-01T00:00", "9999999999", "0000-01-01", "\x00", "1960-01-01", "2101-01-01"],
)
def test_what_is_no_time_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(BadInput) as told:
        time_of(text, "until")
    assert told.value.where == "until"
