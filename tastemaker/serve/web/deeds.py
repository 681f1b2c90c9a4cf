"""What a user did, event by event, newest first: what each says of its item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tastemaker.data.declaration import SAID, Polarity
from tastemaker.data.polarity import CODES, of_values
from tastemaker.run.saved import SavedRun
from tastemaker.serve.opened import Told
from tastemaker.serve.timeline import timeline_of

_POLARITY = {code: polarity for polarity, code in CODES.items()}


@dataclass(frozen=True)
class Deed:
    """Something that a user did."""

    item: str
    title: str
    time: float | None
    """seconds since 1970; None: nothing says"""
    kind: str
    value: float | None
    says: Polarity | None
    """what it says of the item; None: its kind is not declared, so it says nothing"""
    known: bool = True
    """whether the run has the item; else an update may bring it"""

    @property
    def word(self) -> str:
        """What the user did, in a word."""
        return self.kind if self.says is None else SAID[self.says]

    @property
    def likes(self) -> bool | None:
        """Whether it speaks for its item; None: neither for nor against."""
        return None if self.says is None else CODES[self.says] > 0


def deeds_of(saved: SavedRun, told: Told) -> list[Deed]:
    """All that the run and the store know of a user, newest first.

    Args:
        saved: The run.
        told: Who it is about, and what was told of them.
    """
    events = timeline_of(saved, told)
    values = [np.nan if one["value"] is None else one["value"] for one in events]
    words = _codes(saved, [one["kind"] for one in events], values)
    strange = frozenset(saved.shelf.unknown({one["item"] for one in events}))
    return [
        Deed(**one, says=_POLARITY.get(word), known=one["item"] not in strange)
        for one, word in zip(events, words, strict=True)
    ]


def _codes(saved: SavedRun, kinds: Sequence[str], values: Sequence[float]) -> list[int]:
    """Code of what each event says; 0: nothing."""
    declared = saved.data.declared
    with np.errstate(over="ignore"):
        bands = of_values(np.array(values, np.float64).astype(np.float32), declared)
    said = [CODES[declared.events[kind]] if kind in declared.events else 0 for kind in kinds]
    codes: list[int] = np.where(bands != 0, bands, np.array(said, np.int8)).tolist()
    return codes
