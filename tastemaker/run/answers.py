"""What one user is shown: items, why these, and what the user chose before."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from tastemaker.files import JsonObject


@dataclass(frozen=True)
class Chosen:
    """One item that the user chose."""

    item: str
    """the user's own item id"""
    title: str


@dataclass(frozen=True)
class Recommendation:
    """One recommended item."""

    item: str
    """the user's own item id"""
    title: str
    score: float
    """where the model's score of this item lies between the lowest (0) and the highest (1) of all
    items that may be recommended to this user, whatever else is wished, plus the boosts of its
    groups; it never rises along a list, and is no probability"""
    categories: tuple[str, ...]


@dataclass(frozen=True)
class Answer:
    """What to show one user."""

    user: str
    known: bool
    model: str
    """what ranked the items; `popularity` for a user without events to learn from"""
    reason: str
    """why these items"""
    history: tuple[Chosen, ...]
    """what the user chose last, newest first"""
    items: tuple[Recommendation, ...]
    complete: bool
    """false when fewer items could be recommended than were asked for"""

    def to_json(self) -> JsonObject:
        """The answer as JSON values."""
        return asdict(self)
