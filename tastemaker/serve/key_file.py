"""API keys: who may ask. Only hashes are kept, so a file of them opens nothing.

A key is a long random text, so one round of sha256 is enough to hide it. It is sent as
`Authorization: Bearer KEY` or as `X-API-Key: KEY`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tastemaker.errors import BadInput
from tastemaker.files import shortened

_LINE = re.compile(r"([\w.\-]{1,64})[ \t]+([0-9a-f]{64})")
_FIX = "Write a name and the sha256 of the key, as `printf %s KEY | sha256sum` prints it."
OPEN = ("/healthz", "/readyz")
"""Paths for programs that say nothing about anybody: they need no key."""
_SIGN_IN, _DRAWING = "/sign-in", "/web/"


@dataclass(frozen=True)
class KeyFile:
    """Who may ask."""

    hashes: Mapping[str, bytes]
    """name → sha256 of the key"""

    @classmethod
    def of(cls, keys: Mapping[str, str]) -> KeyFile:
        """KeyFile given as they are sent.

        Args:
            keys: Name → key.
        """
        return cls({name: _hash(key.encode()) for name, key in keys.items()})

    @classmethod
    def read(cls, path: str | Path) -> KeyFile:
        """Read a file with a name and a hash in each line; `#` begins a remark.

        Raises:
            BadInput: If it cannot be read, a line is something else, a name stands there twice, or
                there is no key at all.
        """
        try:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
        except (OSError, ValueError) as error:
            what = "The file of keys cannot be read."
            raise BadInput(what, str(path), "Check the path and its permissions.") from error
        hashes: dict[str, bytes] = {}
        for number, line in enumerate(lines, start=1):
            text = line.partition("#")[0].strip()
            if not text:
                continue
            match = _LINE.fullmatch(text)
            if match is None:  # which may be a key: it is not repeated
                raise BadInput("The line is no name with a hash.", f"{path}, line {number}", _FIX)
            if match[1] in hashes:
                what = f"The name {shortened(match[1])!r} stands there twice."
                raise BadInput(what, f"{path}, line {number}", "Give each key a name of its own.")
            hashes[match[1]] = bytes.fromhex(match[2])
        if not hashes:
            raise BadInput("The file holds no key, so nobody could ask.", str(path), _FIX)
        return cls(hashes)

    def owner(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Name of the key that a request carries; None: it carries none of these."""
        return self.owner_of(_key(headers))

    def owner_of(self, key: bytes) -> str | None:
        """Name of a key; None: it is none of these.

        Every hash is compared to its end, so the time tells nothing about any of them.
        """
        sent = _hash(key)
        owner = None
        for name, known in self.hashes.items():
            if hmac.compare_digest(known, sent):
                owner = name
        return owner


def needs_none(path: str) -> bool:
    """Whether a path says nothing about anybody: it needs no key."""
    return path in OPEN or path == _SIGN_IN or path.startswith(_DRAWING)


def _key(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """The key as it was sent; nothing where there is none."""
    for name, value in headers:
        if name == b"x-api-key":
            return value.strip()
        if name == b"authorization" and value[:7].lower() == b"bearer ":
            return value[7:].strip()
    return b""


def _hash(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()
