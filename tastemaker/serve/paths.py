"""Ids in paths: any text, percent-encoded, slashes too.

A server hands over a path whose `%2F` has become a slash, and with it another route. Here a path is
read from what was sent, segment by segment; inside a segment `/` and `%` stay encoded until the
route is found, and `decoded` gives the id back. `..` is an id like any other: nothing here is a
file.
"""

from __future__ import annotations

from urllib.parse import unquote_to_bytes

from tastemaker.errors import BadInput


def routed(raw: bytes) -> str:
    """The path to find a route by.

    Args:
        raw: The path as it was sent, without the query.

    Raises:
        BadInput: If a segment is no UTF-8 once it is decoded.
    """
    try:
        segments = [unquote_to_bytes(one).decode() for one in raw.split(b"/")]
    except UnicodeDecodeError as error:
        fix = "Percent-encode ids as UTF-8."
        raise BadInput("The path is no UTF-8.", "path", fix) from error
    return "/".join(one.replace("%", "%25").replace("/", "%2F") for one in segments)


def decoded(segment: str) -> str:
    """The id that a segment of `routed` stands for."""
    return segment.replace("%2F", "/").replace("%25", "%")
