"""What one request, one client and all of them together may ask for."""

from __future__ import annotations

from dataclasses import dataclass, fields

from tastemaker.errors import BadInput


@dataclass(frozen=True)
class Limits:
    """What may be asked; beyond it the server refuses, with the reason, before any work is done.

    Raises:
        BadInput: If one of them is no number of that kind.
    """

    body: int = 1_000_000
    """most bytes of a request's body"""
    nesting: int = 32
    """most levels of a body's JSON"""
    k: int = 1_000
    """most items of one answer, those passed over counted in"""
    batch: int = 1_000
    """most events of one request"""
    history: int = 2_000
    """most events of a history; of a stored one the newest are read"""
    queue: int = 256
    """most requests that wait to be ranked; others are told to come again"""
    patience: float = 5.0
    """most seconds that a request waits, and that its body takes to arrive"""
    rate: float = 0.0
    """requests a second that one client may make in the long run; 0: any number"""
    burst: int = 100
    """requests that it may make at once, where there is a rate"""

    def __post_init__(self) -> None:
        """Refuse bounds under which nothing could be answered."""
        for name in (one.name for one in fields(self)):
            value = vars(self)[name]
            least = 0 if name == "rate" else 1 if name != "patience" else 0.1
            if isinstance(value, bool) or not least <= value <= 2**40:
                fix = f"Give a number from {least} up."
                raise BadInput(f"{name} = {value!r} is no limit.", f"--limits.{name}", fix)


def nested_deeper(body: bytes, levels: int) -> bool:
    """Whether JSON has more levels than that, or brackets that do not match; without recursion."""
    if body.count(b"[") + body.count(b"{") <= levels:
        return False
    # What stands between quotes is no bracket; an escaped quote ends nothing.
    parts = body.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')
    brackets = b"".join(parts[::2]).translate(_ALIKE, _NO_BRACKETS)
    for _ in range(levels):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")  # the innermost level
    return bool(brackets)


_ALIKE = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
