"""What one user is shown, or who asks from one item: items, why these, and what they go with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field

from tastemaker.files import JsonObject
from tastemaker.seams import Thought


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
    groups; it never rises along a list, and is no probability. Where heads are named, the place of
    what they say on the same scale, which can lie outside. Beside an item: the sum of `parts`, from
    −1 to 1, plus the boosts"""
    categories: tuple[str, ...]
    parts: Mapping[str, float] = field(default_factory=dict)
    """beside an item, what each head adds to the score, its weight counted in: `engagement` and
    `relevance`; empty where one model ranks"""
    intent: str = ""
    """the head that spoke for the item, such as `short-term · Sci-Fi`; empty where a model without
    named heads ranked"""
    because: tuple[Chosen, ...] = ()
    """items of the history that speak most for it, first the one that does most; empty unless they
    were asked for, and where none speaks for it"""
    considered: Mapping[str, float] = field(default_factory=dict)
    """where an explanation was asked for, how likely the model's last thought made the groups that
    the item is in: `VERIFIER: GROUP` → probability; empty else. It is no reason that suffices: an
    item of an unlikely group can be the best"""


@dataclass(frozen=True)
class Answer:
    """What to show one user, or who asks from one item."""

    user: str
    """empty where an item is asked from"""
    known: bool
    """whether the data has this user; of an item, whether anything is known of it"""
    model: str
    """what ranked the items; `popularity` for a user or an item of which nothing is known"""
    reason: str
    """why these items"""
    history: tuple[Chosen, ...]
    """what the user chose last, newest first; empty where an item is asked from"""
    items: tuple[Recommendation, ...]
    complete: bool
    """false when fewer items could be recommended than were asked for"""
    item: Chosen | None = None
    """the item that is asked from"""
    relevance: float | None = None
    """the weight on relevance that ranked items beside an item"""
    thoughts: tuple[Thought, ...] = ()
    """what the model thought before it answered, in its order; empty unless asked for, and where
    nothing is known of the user"""

    def to_json(self) -> JsonObject:
        """The answer as JSON values."""
        return asdict(self)
