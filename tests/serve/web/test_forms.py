"""Forms as browsers send them."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from tastemaker.errors import BadInput
from tastemaker.serve.web.forms import TYPE, form_of, required


def form(body: bytes, kind: str = TYPE) -> dict[str, str]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    return asyncio.run(form_of(Request(scope, receive), ("user", "item")))


def test_fields_are_decoded_and_empty_ones_are_not_there() -> None:
    assert form(b"user=a%2Fb+%C3%A9%26&item=") == {"user": "a/b é&"}
    assert form(b"user=1", "application/x-www-form-urlencoded; charset=UTF-8") == {"user": "1"}
    assert form(b"") == {}


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"user=%ff", TYPE),
        (b"user=\xff", TYPE),
        (b"user=1&user=2", TYPE),
        (b"idle=1", TYPE),
        (b"user=1&" * 80, TYPE),
        (b"user=1", "text/plain"),
        (b'{"user": 1}', "application/json"),
        (b"user=1", ""),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(BadInput) as error:
        form(body, kind)
    assert error.value.fix


def test_what_is_needed_is_asked_for_by_name() -> None:
    assert required({"item": "i1"}, "item") == "i1"
    with pytest.raises(BadInput) as error:
        required({}, "item")
    assert error.value.where == "item"
