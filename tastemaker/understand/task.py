"""Task: the users whose interests are asked for, and all that is known of them beforehand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from tastemaker.data.signals import Signals, UserSignals
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.taxonomy import Taxonomy
from tastemaker.worlds.planted_interests import PlantedUsers


@dataclass(frozen=True, eq=False)
class Task:
    """A data set that models are asked about."""

    name: str
    signals: Signals
    texts: Mapping[str, str]
    """item id → what is written about it"""
    noun: str = "items"
    """what items are, as prompts say it: videos, films, books"""
    taxonomy: Taxonomy | None = None
    """None: each interest is a category of its own"""
    oracle: Oracle | None = None
    """O_u of users; None: recall is not known"""
    planted: PlantedUsers | None = None
    """the truth of generated users, who need no judge; None: they are real"""
    note: str = ""
    """how events became polarities, where that is a choice of ours and not of the data set"""
    categories: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """item id → names of its categories; empty where none are known"""

    def users(self, limit: int | None = None) -> Iterator[UserSignals]:
        """Users in the order of the log, the first `limit` of them."""
        for number, user in enumerate(self.signals.users()):
            if limit is not None and number >= limit:
                return
            yield user

    @cached_property
    def sha256(self) -> str:
        """Hash of all that a result depends on but the model: users, events, texts."""
        found = hashlib.sha256()
        for user in self.signals.users():
            found.update(json.dumps([user.user, user.events], ensure_ascii=False).encode())
        found.update(json.dumps(sorted(self.texts.items()), ensure_ascii=False).encode())
        return found.hexdigest()
