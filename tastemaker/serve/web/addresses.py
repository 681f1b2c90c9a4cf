"""Ids in addresses of pages: any id, in a path that browsers leave as it is.

A browser takes `..` for the folder above, however it is encoded. So that and `.` have a sign before
them, and so has every id that begins with this sign itself.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from pydantic import AfterValidator

from tastemaker.serve.paths import decoded

_SIGN = "="


def segment_of(id: str) -> str:
    """The part of an address that stands for an id."""
    signed = f"{_SIGN}{id}" if id in (".", "..") or id.startswith(_SIGN) else id
    return quote(signed, safe="")


def id_of(segment: str) -> str:
    """The id that such a part stands for, as the path is read for routes."""
    return decoded(segment).removeprefix(_SIGN)


InAddress = Annotated[str, AfterValidator(id_of)]
"""An id in the address of a page."""
