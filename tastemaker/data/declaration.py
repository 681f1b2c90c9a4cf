"""`dataset.json`: what a log's columns mean. Polarity is declared, never guessed."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tastemaker.config import from_json
from tastemaker.errors import BadInput

Polarity = Literal[
    "explicit_positive", "implicit_positive", "implicit_negative", "explicit_negative"
]
TimeUnit = Literal["s", "ms", "us", "ns"]


@dataclass(frozen=True)
class ValueBands:
    """Ranges of the value column that carry a polarity of their own, such as high ratings."""

    column: str = "value"
    """name of the column in the file."""
    bands: dict[Polarity, tuple[float, float]] = field(default_factory=dict)
    """polarity → closed range of values."""


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
        """Refuse polarities and bands that make no sense."""
        known = set(Polarity.__args__)  # type: ignore[attr-defined]
        bands = self.value.bands if self.value else {}
        for polarity in [*self.events.values(), *bands]:
            if polarity not in known:
                fix = f"Use one of {', '.join(sorted(known))}."
                raise BadInput(f"Polarity {polarity!r} is not known.", "dataset.json", fix)
        for polarity, (low, high) in bands.items():
            if not low <= high:
                what = f"Band {polarity} runs from {low} to {high}."
                raise BadInput(what, "dataset.json: value.bands", "Give [low, high].")

    @property
    def positive_events(self) -> tuple[str, ...]:
        """Events that say somebody chose the item; only they are learnt as next items."""
        return tuple(name for name, polarity in self.events.items() if "positive" in polarity)


def read_declaration(folder: Path) -> Declaration:
    """`dataset.json` of a data folder, or the defaults where there is none.

    Raises:
        BadInput: If it is not JSON or has an unknown key or value.
    """
    path = folder / "dataset.json"
    if not path.is_file():
        return Declaration(name=folder.resolve().name)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadInput(f"The file is not JSON: {error}.", str(path), "Mend the syntax.") from None
    if not isinstance(values, dict):
        what = f"The file holds a {type(values).__name__}, not an object."
        raise BadInput(what, str(path), 'Write {"events": {"view": "implicit_positive"}}.')
    declared = from_json(Declaration, values, str(path))
    if not declared.events:
        fix = 'Write "events": {"view": "implicit_positive"}.'
        raise BadInput("No event is declared.", f"{path}: events", fix)
    return declared
