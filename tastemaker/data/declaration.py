"""`dataset.json`: what a log's columns mean. Polarity is declared, never guessed."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Literal, get_args

from tastemaker import files
from tastemaker.config import from_json, to_json
from tastemaker.errors import BadInput

Polarity = Literal[
    "explicit_positive", "implicit_positive", "implicit_negative", "explicit_negative"
]
POLARITIES: tuple[Polarity, ...] = get_args(Polarity)
"""From the clearest yes to the clearest no."""
SAID: dict[Polarity, str] = {
    "explicit_positive": "liked",
    "implicit_positive": "chosen",
    "implicit_negative": "passed over",
    "explicit_negative": "disliked",
}
"""What a user did with an item, in a word."""
TimeUnit = Literal["s", "ms", "us", "ns"]

MAX_EVENTS = 256
"""Kinds of events of one log: the kind of an event is stored in a byte."""


def is_positive(polarity: Polarity) -> bool:
    """Whether an event of this polarity says that somebody chose the item."""
    return polarity in ("explicit_positive", "implicit_positive")


@dataclass(frozen=True)
class ValueBands:
    """Ranges of the value column that carry a polarity of their own, such as high ratings."""

    column: str = "value"
    """name of the column in the file."""
    bands: dict[Polarity, tuple[float, float]] = field(default_factory=dict)
    """polarity → closed range of values; a value in none has the polarity of its event."""

    def __post_init__(self) -> None:
        """Refuse bands that make no sense or contradict each other."""
        where = "dataset.json: value.bands"
        for polarity, (low, high) in self.bands.items():
            _refuse_unknown(polarity)
            if not (math.isfinite(low) and math.isfinite(high) and low <= high):
                what = f"Band {polarity} runs from {low} to {high}."
                raise BadInput(what, where, "Give [low, high], both finite numbers.")
        for (one, (low, high)), (other, (start, end)) in combinations(self.bands.items(), 2):
            if is_positive(one) != is_positive(other) and low <= end and start <= high:
                both = f"{max(low, start):g} to {min(high, end):g}"
                what = f"Bands {one} and {other} both hold the values from {both}."
                raise BadInput(what, where, "Let each value be either positive or negative.")


@dataclass(frozen=True)
class Declaration:
    """The contents of `dataset.json`; every key is optional."""

    name: str = ""
    """shown in reports; the folder's name when empty."""
    licence: str = ""
    """what may be done with the data."""
    time_unit: TimeUnit = "s"
    """unit of numeric timestamps."""
    events: dict[str, Polarity] = field(default_factory=lambda: {"view": "implicit_positive"})
    """event name → polarity; any other event name in the log is an error."""
    value: ValueBands | None = None
    """meaning of the value column."""
    duplicates: Literal["error", "keep"] = "error"
    """what to do with rows equal in every column."""

    def __post_init__(self) -> None:
        """Refuse polarities that do not exist and events that could not be stored."""
        for event, polarity in self.events.items():
            _refuse_unknown(polarity)
            if not event or re.search(r"[\x00-\x1f\x7f]", event):
                fix = "Give every event a name without control characters."
                raise BadInput(f"Event {event!r} is no name.", "dataset.json: events", fix)
        if len(self.events) > MAX_EVENTS:
            what = f"{len(self.events):,} kinds of events are declared; {MAX_EVENTS} is the most."
            raise BadInput(what, "dataset.json: events", "Join kinds that mean the same.")

    @property
    def positive_events(self) -> tuple[str, ...]:
        """Events that say somebody chose the item; only they are learnt as next items."""
        return tuple(name for name, polarity in self.events.items() if is_positive(polarity))

    @property
    def bands(self) -> dict[Polarity, tuple[float, float]]:
        """Polarity → range of values; empty where the log has no value column."""
        return self.value.bands if self.value else {}

    @property
    def only_event(self) -> str | None:
        """The kind of every event of a log without an event column, where that is clear."""
        if len(self.events) == 1:
            return next(iter(self.events))
        return "view" if "view" in self.events else None

    def save(self, path: Path) -> None:
        """Write as JSON that `open` reads; `dataset.json` has the same form."""
        files.write_json(path, to_json(self))

    @classmethod
    def open(cls, path: Path) -> Declaration:
        """Read what `save` wrote.

        Raises:
            ArtefactError: If the file is missing or no JSON.
            BadInput: If it has an unknown key or value.
        """
        return from_json(cls, files.read_json(path), str(path))


def _refuse_unknown(polarity: str) -> None:
    if polarity not in POLARITIES:
        fix = f"Use one of {', '.join(sorted(POLARITIES))}."
        raise BadInput(f"Polarity {polarity!r} is not known.", "dataset.json", fix)


def read_declaration(folder: Path) -> Declaration:
    """`dataset.json` of a data folder, or the defaults where there is none.

    Raises:
        BadInput: If it is not JSON, has a key twice, or has an unknown key or value.
    """
    path = folder / "dataset.json"
    if not path.is_file():
        return Declaration(name=folder.resolve().name)
    try:
        text = path.read_text(encoding="utf-8-sig")
        values = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The file is not JSON: {error}.", str(path), "Mend the syntax.") from None
    except BadInput as error:
        raise BadInput(error.what, str(path), error.fix) from None
    if not isinstance(values, dict):
        what = f"The file holds a {type(values).__name__}, not an object."
        raise BadInput(what, str(path), 'Write {"events": {"view": "implicit_positive"}}.')
    declared = from_json(Declaration, values, str(path))
    if not declared.events:
        fix = 'Write "events": {"view": "implicit_positive"}.'
        raise BadInput("No event is declared.", f"{path}: events", fix)
    return declared


def _once(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    """A JSON object, each of whose keys stands there once: else the last would silently win."""
    read = dict(pairs)
    if len(read) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise BadInput(f"The key {twice!r} stands there twice.", "", "Keep one of them.")
    return read
