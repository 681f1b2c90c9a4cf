"""Bodies: read whole within bounds, or refused before they are parsed."""

import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message

from tastemaker.serve.bodies import Gone, again, read_body
from tastemaker.serve.limits import Limits
from tastemaker.serve.refusals import Refused

LIMITS = Limits(body=10, nesting=2, patience=0.1)


def read(headers: dict[bytes, bytes], parts: Sequence[bytes | None]) -> bytes:
    """A body whose parts come one by one; None: the client leaves."""
    left = list(parts)

    async def receive() -> Message:
        if not left:
            await asyncio.sleep(9)
        part = left.pop(0)
        if part is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": part, "more_body": bool(left) or part == b"[1,"}

    return asyncio.run(read_body(headers, receive, LIMITS))


CHUNKED = {b"transfer-encoding": b"chunked"}


def test_parts_are_joined_and_given_again() -> None:
    assert read(CHUNKED, [b"[1", b"]"]) == b"[1]"
    assert read({}, []) == b""

    async def later() -> Message:
        return {"type": "http.disconnect"}

    async def both() -> list[Message]:
        given = again(b"[1]", later)
        return [await given(), await given()]

    first, second = asyncio.run(both())
    assert (first["body"], first["more_body"]) == (b"[1]", False)
    assert second["type"] == "http.disconnect"


@pytest.mark.parametrize(
    ("headers", "parts", "status"),
    [
        ({b"content-length": b"11"}, [], 413),
        ({b"content-length": b"9" * 5_000}, [], 413),
        ({b"content-length": b"x"}, [], 413),
        (CHUNKED, [b"123456", b"123456"], 413),
        (CHUNKED, [b"[[[]]]"], 422),
        (CHUNKED, [b"[1,"], 408),
    ],
)
def test_beyond_bounds_is_refused(
    headers: dict[bytes, bytes], parts: list[bytes | None], status: int
) -> None:
    with pytest.raises(Refused) as error:
        read(headers, parts)
    assert error.value.status == status


def test_who_leaves_is_let_go() -> None:
    with pytest.raises(Gone):
        read(CHUNKED, [None])
