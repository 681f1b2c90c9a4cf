"""The body of a request: read whole, within bounds of size and time, before anything is parsed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from starlette.types import Message, Receive

from tastemaker.serve.limits import Limits, nested_deeper
from tastemaker.serve.refusals import Refused


class Gone(Exception):
    """The client has gone before its request had arrived."""


async def read_body(headers: Mapping[bytes, bytes], receive: Receive, limits: Limits) -> bytes:
    """All of a body.

    Args:
        headers: Of the request, by name.
        receive: Gives its parts.
        limits: Bounds of size, depth and time.

    Raises:
        Refused: If it is too large, nested too deeply, or too slow.
        Gone: If the client leaves.
    """
    coded = headers.get(b"content-encoding", b"identity")
    if coded != b"identity":
        what = f"The body is coded as {coded.decode('latin-1')!r:.40}."
        raise Refused(415, what, "Content-Encoding", "Send it as it is.")
    if b"content-length" not in headers and b"transfer-encoding" not in headers:
        return b""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or len(length) > 15 or int(length) > limits.body:
        raise too_large(limits)
    try:
        async with asyncio.timeout(limits.patience):
            body = await _parts(receive, limits)
    except TimeoutError as error:
        what = f"The body has not arrived within {limits.patience:g} seconds."
        raise Refused(408, what, "body", "Send it at once.") from error
    if nested_deeper(body, limits.nesting):
        what = f"The JSON has more than {limits.nesting} levels, or its brackets do not match."
        raise Refused(422, what, "body", "See /openapi.json for what is taken.")
    return body


async def _parts(receive: Receive, limits: Limits) -> bytes:
    parts, size, more = [], 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Gone
        part = message.get("body", b"")
        size, more = size + len(part), message.get("more_body", False)
        if size > limits.body:
            raise too_large(limits)
        parts.append(part)
    return b"".join(parts)


def too_large(limits: Limits) -> Refused:
    """A body beyond the limit."""
    what = f"The body is larger than {limits.body:,} bytes."
    return Refused(413, what, "body", "Send several smaller requests.")


def again(body: bytes, receive: Receive) -> Receive:
    """Gives a body that was read already, then what else comes."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return waiting.pop() if waiting else await receive()

    return given
