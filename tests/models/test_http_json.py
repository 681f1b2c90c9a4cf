"""What goes wrong between here and an endpoint, and what is made of it."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from tastemaker.errors import BadInput
from tastemaker.models.http_json import HttpJson, Patience, RequestFailed
from tests.models.chat_server import Answer, serving

QUICK = Patience(timeout=5.0, tries=3, back_off=0.01, longest=5.0, most_bytes=10_000)
GOOD = Answer(b'{"good": 1}')
KEY = "sk-secret-1234"
CHUNKS = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
BAD = {
    "broken": Answer(b'{"good": 1}', cut=4),
    "no JSON": Answer(b"<html>gateway</html>"),
    "a list": Answer(b"[1]"),
    "deep": Answer(b"[" * 9000),
    "empty": Answer(b""),
    "busy": Answer(b"later", 429, {"Retry-After": "0"}),
    "odd wait": Answer(b"later", 429, {"Retry-After": "soon"}),
    "down": Answer(b"oops", 503),
    "hung up": Answer(b"", raw=True),
    "no HTTP": Answer(b"SSH-2.0-OpenSSH\r\n", raw=True),
    "broken chunks": Answer(CHUNKS + b'20\r\n{"good": 1}', raw=True),
    "no text": Answer(b'{"good": "\xe9"}'),
    "odd charset": Answer(b'{"good": "\xe9"}', headers={"Content-Type": "text/x; charset=odd"}),
}


@pytest.mark.parametrize("name", list(BAD))
def test_what_may_pass_is_tried_again(name: str) -> None:
    with serving(lambda body, number: BAD[name] if number < 2 else GOOD) as server:
        assert HttpJson(server.url, patience=QUICK).post({}) == {"good": 1}
        assert len(server.bodies) == 3


@pytest.mark.parametrize("name", list(BAD))
def test_what_does_not_pass_is_one_typed_error(name: str) -> None:
    with serving(lambda body, number: BAD[name]) as server:
        with pytest.raises(RequestFailed) as caught:
            HttpJson(server.url, patience=QUICK).post({})
        assert len(server.bodies) == 3 and caught.value.reached
        assert caught.value.fix and caught.value.where == server.url


def test_waits_as_long_as_the_endpoint_asks() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    for wait, least in (("0.5", 0.5), (date, 0.0)):
        busy = Answer(b"", 429, {"Retry-After": wait})
        with serving(lambda body, number, busy=busy: GOOD if number else busy) as server:  # type: ignore[misc]
            begun = time.monotonic()
            HttpJson(server.url, patience=QUICK).post({})
            assert least <= time.monotonic() - begun < 30
    hour = Answer(b"", 429, {"Retry-After": "3600"})
    with serving(lambda body, number: hour) as server:
        with pytest.raises(RequestFailed):
            HttpJson(server.url, patience=QUICK).post({})
        assert len(server.bodies) == 1


@pytest.mark.parametrize(
    ("charset", "written"),
    [("", "utf-8"), ("utf-8", "utf-8-sig"), ("utf-16", "utf-16"), ("", "utf-16-le"),
     ("odd", "utf-8"), ("hex", "utf-8"), ("ISO-8859-1", "latin-1"),
     ('"windows-1252"', "cp1252"), ("shift_jis", "shift_jis")],
)  # fmt: skip
def test_an_answer_is_read_in_the_encoding_it_names(charset: str, written: str) -> None:
    text = "数" if written == "shift_jis" else "é"
    kind = f"application/json; charset={charset}" if charset else "application/json"
    answer = Answer(f'{{"good": "{text}"}}'.encode(written), headers={"Content-Type": kind})
    with serving(lambda body, number: answer) as server:
        assert HttpJson(server.url, patience=QUICK).post({}) == {"good": text}


def test_chunks_are_put_together() -> None:
    answer = Answer(CHUNKS + b'5\r\n{"goo\r\n6\r\nd": 1}\r\n0\r\n\r\n', raw=True)
    with serving(lambda body, number: answer) as server:
        assert HttpJson(server.url, patience=QUICK).post({}) == {"good": 1}


@pytest.mark.parametrize("raw", [False, True])
@pytest.mark.parametrize("pause", [1.0, 0.12])
def test_a_slow_answer_ends_in_time(pause: float, raw: bool) -> None:
    """Whether nothing comes, not even a status, or a little every now and then."""
    slow = Answer(CHUNKS + b"4\r\n    \r\n" * 400, pause=pause, raw=raw)
    patience = Patience(timeout=0.3, tries=1)
    with serving(lambda body, number: slow) as server:
        begun = time.monotonic()
        with pytest.raises(RequestFailed, match="0.3 seconds"):
            HttpJson(server.url, patience=patience).post({})
        assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Answer(b"no", 401), BadInput),
        (Answer(b"no", 403), BadInput),
        (Answer(b"no such model", 404), BadInput),
        (Answer(b"", 302, {"Location": "http://127.0.0.1:1/"}), BadInput),
        (Answer(b"", 307, {"Location": "http://127.0.0.1:1/"}), BadInput),
        (Answer(b"too long", 400), RequestFailed),
        (Answer(b"unknown field", 422), RequestFailed),
        (Answer(b"[" + b" " * 20_000 + b"]"), RequestFailed),
    ],
)
def test_what_trying_again_cannot_mend_is_tried_once(answer: Answer, kind: type) -> None:
    with serving(lambda body, number: answer) as server:
        with pytest.raises(kind):
            HttpJson(server.url, patience=QUICK).post({})
        assert len(server.bodies) == 1


def test_nobody_there_is_told_from_somebody_who_fails() -> None:
    with serving(lambda body, number: GOOD) as server:
        pass
    with pytest.raises(RequestFailed) as caught:
        HttpJson(server.url, patience=QUICK).post({})
    assert not caught.value.reached


@pytest.mark.parametrize("status", [200, 400, 401, 404, 429, 500])
def test_a_key_is_sent_and_never_shown(status: int) -> None:
    def tell(body: Mapping[str, Any], number: int) -> Answer:
        return Answer(f"you sent {KEY}".encode(), status)

    with serving(tell) as server:
        http = HttpJson(server.url, KEY, QUICK)
        with pytest.raises((BadInput, RequestFailed)) as caught:
            http.post({})
        assert server.keys[0] == f"Bearer {KEY}"
    shown = str(caught.value) + repr(caught.value) + repr(caught.value.fields) + repr(http)
    assert KEY not in shown


@pytest.mark.parametrize(
    "url",
    ["", "localhost:1/v1", "file:///etc/passwd", "http://", "http://me:sk-secret@host/v1",
     "https://host/v1?key=sk-secret", "http://[1/v1"],
)  # fmt: skip
def test_what_is_no_url_or_holds_a_key_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        HttpJson(url)
    assert "sk-secret" not in str(caught.value)


@pytest.mark.parametrize("key", ["a b", "a\nX-Other: b", "é"])
def test_a_key_that_breaks_the_header_is_refused(key: str) -> None:
    with pytest.raises(BadInput) as caught:
        HttpJson("http://localhost/v1", key)
    assert key not in str(caught.value)
