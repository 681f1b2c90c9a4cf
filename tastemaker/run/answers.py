"""What one user is shown: items, why these, and what the user chose before."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recommendation:
    """One recommended item."""

    item: str
    """the user's own item id"""
    title: str
    score: float
    """1 for the best item of this answer, 0 for the last of the catalogue"""
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What to show one user."""

    user: str
    known: bool
    reason: str
    """why these items"""
    history: tuple[str, ...]
    """titles of the newest events, newest first"""
    items: tuple[Recommendation, ...]
    complete: bool
    """false when fewer items could be recommended than were asked for"""

    def to_json(self) -> dict[str, Any]:
        """The answer as JSON values."""
        return asdict(self)
