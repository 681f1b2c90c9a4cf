"""What one request asks for beside the user: how many, which may come, what is favoured.

Validated here and nowhere else, so that Python, the command line and a server refuse alike.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from numbers import Real
from typing import SupportsIndex, TypedDict

from tastemaker.errors import BadInput

Id = str | SupportsIndex
"""An id as a person may give it: 7 is "7"."""

HEAVIEST = 100
"""Largest weight of a boost; scores lie in [0, 1]."""


class Wished(TypedDict, total=False):
    """The fields of `Wishes` beside k, as keywords."""

    offset: int
    boost: Mapping[str, float]
    only: Collection[str]
    allow: Collection[Id] | None
    deny: Collection[Id]
    hidden: Collection[Id]
    diversify: float
    because: bool


class WishedBeside(Wished, total=False):
    """Likewise, of items that go with an item."""

    relevance: float | None


@dataclass(frozen=True)
class Wishes:
    """One request's wishes.

    Raises:
        BadInput: If a value cannot be meant: k below 1, an offset below 0, a weight that is not
            finite, a relevance or a diversity outside 0 to 1, an id that is neither text nor a
            whole number; or if it would have no effect: a diversity of one item.
    """

    k: int = 10
    """number of items, at least 1; more than there are gives all of them."""
    offset: int = 0
    """items passed over before the first, such as those of earlier pages."""
    boost: Mapping[str, float] = field(default_factory=dict)
    """category → weight added to the 0–1 score of its items; or a group that the run's model has
    heads for, such as a horizon → weight added to what these heads say."""
    only: Collection[str] = ()
    """categories that items are recommended from, any of them; and groups of heads that alone may
    speak, any of an axis and all axes that are named; empty: all."""
    allow: Collection[Id] | None = None
    """item ids that may be recommended; None: all."""
    deny: Collection[Id] = ()
    """item ids that may not."""
    relevance: float | None = None
    """for items that go with an item: weight from 0 to 1 on what is really similar, the rest on
    what people also choose; None: that of the model."""
    hidden: Collection[Id] = ()
    """item ids that are not available now; those that the run does not know are passed over."""
    diversify: float = 0.0
    """from 0, the ranking itself, to 1, items that are as unlike each other as can be."""
    because: bool = False
    """whether to say of each item which items of the history speak most for it."""

    def __post_init__(self) -> None:
        """Check every value; numbers and ids are kept in their plain form."""
        _refuse_text(self.only, "only")
        plain: dict[str, object] = {
            "k": whole(self.k, "k", least=1),
            "offset": whole(self.offset, "offset", least=0),
            "boost": {str(name): _weight(name, self.boost[name]) for name in self.boost},
            "only": tuple(map(str, self.only)),
            "allow": None if self.allow is None else _ids(self.allow, "allow"),
            "deny": _ids(self.deny, "deny"),
            "relevance": None if self.relevance is None else _share(self.relevance, "relevance"),
            "hidden": _ids(self.hidden, "hidden"),
            "diversify": _share(self.diversify, "diversify"),
            "because": _choice(self.because, "because"),
        }
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        if self.diversify and self.k + self.offset == 1:
            what, fix = "One item alone is not unlike others.", "Leave it out, or ask for more."
            raise BadInput(what, "--diversify", fix)


_ENDS = {
    "relevance": ("what people also choose", "what is really similar"),
    "diversify": ("the ranking itself", "items that are as unlike as can be"),
}


def _share(value: object, name: str) -> float:
    """A number from 0 to 1."""
    number = _number(value)
    if not 0 <= number <= 1:
        least, most = _ENDS[name]
        fix = f"Give a number from 0 ({least}) to 1 ({most})."
        raise BadInput(f"{name} = {value!r:.80} cannot be answered.", f"--{name}", fix)
    return number + 0.0  # no -0.0


def _choice(value: object, name: str) -> bool:
    if not isinstance(value, bool):
        fix = "Give True or False."
        raise BadInput(f"{name} = {value!r:.80} cannot be answered.", f"--{name}", fix)
    return value


def _number(value: object) -> float:
    """A number; infinite where it is too large for one, NaN where it is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return math.nan
    try:
        return float(value)
    except OverflowError:
        return math.inf


def id_of(value: Id, where: str = "user id") -> str:
    """An id as text: 7, `numpy.int64(7)` and "7" are the same.

    Raises:
        BadInput: If it is neither text nor a whole number, such as None, True or 7.0.
    """
    if isinstance(value, str):
        return str(value)
    if not isinstance(value, bool):
        try:
            return str(operator.index(value))
        except TypeError:
            pass
    what = f"{value!r} ({type(value).__name__}) is no id."
    raise BadInput(what, where, "Give an id as text or as a whole number.")


def undialled(wishes: Wishes) -> Wishes:
    """Wishes for a user, for whom there is no dial.

    Raises:
        BadInput: If a relevance is given, which would be idle.
    """
    if wishes.relevance is not None:
        fix = "Leave it out, or ask for items that are similar to an item."
        raise BadInput("A user's items have no relevance to weigh.", "--relevance", fix)
    return wishes


def unreasoned(wishes: Wishes) -> Wishes:
    """Wishes for lists that no history speaks for, or that have no place for reasons.

    Raises:
        BadInput: If reasons are asked for, which would be idle.
    """
    if wishes.because:
        fix = "Leave it out, or ask for the items of one user."
        raise BadInput("No history of one user speaks for these items.", "--because", fix)
    return wishes


def whole(value: SupportsIndex, name: str, least: int) -> int:
    """A whole number from `least` up.

    Raises:
        BadInput: If it is another, or no whole number.
    """
    try:
        number = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = None
    if number is None or number < least:
        fix = f"Give a whole number from {least} up."
        raise BadInput(f"{name} = {value!r} cannot be answered.", f"--{name}", fix)
    return number


def weights(texts: Collection[str]) -> dict[str, float]:
    """Group → weight from texts such as `Comedy=0.3`.

    Raises:
        BadInput: If a text is no group with a number, or a group stands there twice.
    """
    boosts: dict[str, float] = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            weight = float(number)
        except ValueError:
            name, weight = "", 0.0
        if not name:
            fix = f"Write Comedy=0.3, with a number from -{HEAVIEST} to {HEAVIEST}."
            raise BadInput(f"{text!r} is not a boost.", "--boost", fix)
        if name in boosts:
            what = f"Group {name!r} is boosted twice, by {boosts[name]:g} and by {weight:g}."
            raise BadInput(what, "--boost", "Boost each group once.")
        boosts[name] = _weight(name, weight)
    return boosts


def _weight(name: str, value: object) -> float:
    number = _number(value)
    if not abs(number) <= HEAVIEST:
        what = f"{name}={value!s:.80} is not a boost."
        raise BadInput(what, "--boost", f"Give a number from -{HEAVIEST} to {HEAVIEST}.")
    return number


def _ids(values: Collection[Id], name: str) -> tuple[str, ...]:
    _refuse_text(values, name)
    return tuple(id_of(value, f"--{name}") for value in values)


def _refuse_text(values: object, name: str) -> None:
    """Refuse one text where several are asked for: its letters would be taken for them."""
    if isinstance(values, str | bytes):
        raise BadInput(f"{values!r} is one text.", f"--{name}", f"Give a list, as [{values!r}].")


PLAIN = Wishes()
"""The ten best, and nothing else."""
