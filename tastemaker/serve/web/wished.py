"""What is wished of a list on a page: the fields of its form, which are the query of its address.

A page can be shared by its address, so what was wished stands there; a field that was left alone is
empty and says nothing.
"""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from pydantic import Field, FiniteFloat

from tastemaker.run.wishes import Wishes
from tastemaker.serve.schemas import Share, Words

MODERATE = 0.2
"""Weight of a boost that nobody has dialled; scores lie from 0 to 1."""
HEAVIEST = 0.5
"""Largest weight that the dial gives, either way."""
LISTED = 15
"""Items of a list on a page."""
REACH = 10
"""Times as many items are looked through for where one stood before."""
_Name = Annotated[str, Field(max_length=200)]
_Weight = Annotated[FiniteFloat, Field(ge=-HEAVIEST, le=HEAVIEST)]


class Wished(Words):
    """Fields of the form."""

    model: _Name = ""
    boost: _Name = ""
    weight: _Weight = MODERATE
    only: _Name = ""
    diversify: Share = 0.0

    def wishes(self, k: int, *, because: bool = False) -> Wishes:
        """The same as a run takes it.

        Raises:
            BadInput: If it cannot be meant.
        """
        boost = {self.boost: self.weight} if self.boost and self.weight else {}
        only = (self.only,) if self.only else ()
        return Wishes(k, boost=boost, only=only, diversify=self.diversify, because=because)

    @property
    def steered(self) -> bool:
        """Whether something is wished beside a model."""
        return bool((self.boost and self.weight) or self.only or self.diversify)

    def query(self, **changes: object) -> str:
        """The query that says the same but for some changes; what is usual stays out.

        Args:
            changes: Field → value; others than those of the form are added.
        """
        said: dict[str, object] = {
            "model": self.model,
            "boost": self.boost,
            "weight": self.weight if self.boost else None,
            "only": self.only,
            "diversify": self.diversify or None,
        }
        said |= changes
        kept = {name: value for name, value in said.items() if value not in ("", None)}
        return f"?{urlencode(kept)}" if kept else ""
