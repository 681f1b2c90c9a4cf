"""What a request can name: categories of the items, and groups that the run's model has heads for.

A category chooses and favours items, whichever model ranks. A group of heads, such as a horizon or
a kind of event, says who may speak: then the model with the heads ranks.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch

from tastemaker.data.categories import fold
from tastemaker.data.groupings import Grouping
from tastemaker.data.problems import shown
from tastemaker.errors import BadInput
from tastemaker.files import JsonObject
from tastemaker.recommend.prior_axes import HORIZON, horizons
from tastemaker.run.models import Models
from tastemaker.seams import Headed, Steering

_CATEGORIES = 20
"""Categories that a message names."""
_HORIZONS = horizons(3)
"""What a model of one horizon has no heads for."""
_GROUPS = 5
"""Groups of an axis of heads that a message names."""


@dataclass(frozen=True)
class Named:
    """A group that a request names."""

    axis: str
    """axis of heads; empty: a category of the catalogue"""
    code: int
    name: str
    """as the data or the model spell it"""


@dataclass(frozen=True, eq=False)
class NamedHeads:
    """The heads of a run's neural model, ready to be asked for."""

    model: Headed
    called: str
    """what the run calls the model"""
    untrained: frozenset[tuple[str, str]] = frozenset()
    """axis and name of groups that no training event was of"""

    @classmethod
    def of(cls, models: Models, results: JsonObject) -> NamedHeads | None:
        """The heads of a run's neural model; None where it has none.

        Args:
            models: The models of the run.
            results: Its results, which may say what heads learned from, as `heads_of_run` does.
        """
        model = models.heads_in(models.neural_name)
        if model is None:
            return None
        recorded = results.get("heads", {}).get("untrained", {})
        pairs = frozenset((axis, name) for axis, names in recorded.items() for name in names)
        return cls(model, models.neural_name, pairs)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """(H,) what each head is called."""
        return self.model.head_names

    @cached_property
    def axes(self) -> dict[str, tuple[str, ...]]:
        """Axis → names of its groups; an axis of one group tells nothing apart and is left out."""
        return {axis: names for axis, names in self.model.intents.items() if len(names) > 1}

    @property
    def trained(self) -> dict[str, tuple[str, ...]]:
        """Axis → names of its groups that some training event was of."""
        return {
            axis: tuple(name for name in names if (axis, name) not in self.untrained)
            for axis, names in self.axes.items()
        }

    def intent(self, head: int) -> str:
        """What a head is called; empty for −1, where none speaks."""
        return self.names[head] if head >= 0 else ""

    def steering(self, only: Sequence[Named], boost: Mapping[Named, float]) -> Steering | None:
        """Who may speak and who is favoured; None where all may and nobody is.

        Of several groups of one axis, heads of any may speak; of several axes, heads of all.

        Raises:
            BadInput: If no head is of all the axes that are named.
        """
        if not only and not boost:
            return None
        active = torch.ones(len(self.names), dtype=torch.bool)
        for axis in dict.fromkeys(group.axis for group in only):
            heads = [self.model.heads_of(axis, one.code).cpu() for one in only if one.axis == axis]
            active &= torch.stack(heads).any(0)
        if not active.any():
            what = f"{self.called} has no head that is {listed(only, ' and ')} at once."
            raise BadInput(what, "--only", "Its axes have heads of their own: name groups of one.")
        added = torch.zeros(len(self.names))
        for group, weight in boost.items():
            added += weight * self.model.heads_of(group.axis, group.code).cpu()
        return Steering(active, added if boost else None)

    def ranking(self, asked: str) -> str:
        """Name of the model that ranks where heads are named.

        Args:
            asked: A model of the run; empty: none was asked for.

        Raises:
            BadInput: If it is another than the one with the heads.
        """
        if asked in ("", self.called):
            return self.called
        what = f"{asked} has no heads to be asked for by name; of this run {self.called} has."
        raise BadInput(what, "--model", f"Leave --model out, or give --model {self.called}.")


@dataclass(frozen=True, eq=False)
class Names:
    """All that a request can name; a category goes before a group of heads of the same name."""

    categories: Grouping | None
    """items by category; None: the catalogue has none"""
    heads: NamedHeads | None = None

    @cached_property
    def _known(self) -> dict[str, Named]:
        """Spelling without case and blanks → group."""
        known: dict[str, Named] = {}
        for axis, names in self._axes.items():
            for code, name in enumerate(names):
                known.setdefault(fold(name), Named(axis, code, name))
        return known

    @property
    def _written(self) -> dict[str, str]:
        """Groups of heads with their axis, without case → as they are spelt."""
        axes = self.heads.axes if self.heads else {}
        every = [f"{axis}:{name}" for axis, names in axes.items() for name in names]
        return {fold(one): one for one in every}

    @property
    def _axes(self) -> dict[str, tuple[str, ...]]:
        categories = {} if self.categories is None else {"": self.categories.names}
        return {**categories, **(self.heads.axes if self.heads else {})}

    def find(self, name: str, where: str) -> Named:
        """The group called `name`, in any case and with blanks around it.

        Args:
            name: As somebody wrote it; one of heads alone also with its axis, as in `event:like`.
            where: Option or field that it was written in, for messages.

        Raises:
            BadInput: If there is none, naming the nearest; or if heads of it have learned nothing.
        """
        named = self._known.get(fold(name)) or self._of_axis(name)
        if named is None:
            raise self._unknown(name, where)
        if self.heads and (named.axis, named.name) in self.heads.untrained:
            what = f"{shown(named.name)} had no training events, so its heads have learned nothing."
            trained = _some(self.heads.trained[named.axis], _GROUPS) or "none"
            raise BadInput(what, where, f"Trained, of {named.axis}: {trained}.")
        return named

    def _of_axis(self, name: str) -> Named | None:
        """The group of heads that is written with its axis; None: no such."""
        axis, _, group = name.partition(":")
        for known, names in (self.heads.axes if self.heads else {}).items():
            folded = [fold(one) for one in names]
            if fold(axis) == fold(known) and fold(group) in folded:
                code = folded.index(fold(group))
                return Named(known, code, names[code])
        return None

    def _unknown(self, name: str, where: str) -> BadInput:
        written = self._written | {folded: known.name for folded, known in self._known.items()}
        near = difflib.get_close_matches(fold(name), written, n=1)
        meant = f"Did you mean {written[near[0]]!r}? " if near else ""
        if self.heads and fold(name) in _HORIZONS and HORIZON not in self.heads.axes:
            meant = "This model looks at the next item alone: train one with --preset horizons. "
        said = []
        if self.categories is not None:
            said.append(f"Groups here: {_some(self.categories.names, _CATEGORIES)}.")
        axes = [
            f"{axis}: {_some(names, _GROUPS)}"
            for axis, names in (self.heads.trained if self.heads else {}).items()
            if names and self._known[fold(names[0])].axis  # categories have been named
        ]
        if axes:
            said.append(f"Heads here: {'; '.join(axes)}.")
        return BadInput(f"There is no group {shown(name)}.", where, meant + " ".join(said))


def _some(names: Sequence[str], most: int) -> str:
    """The first of some names, and how many there are beside."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return f"{', '.join(names[:most])}{more}"


def listed(groups: Iterable[Named], word: str) -> str:
    """Groups by name, each once: those of an axis joined by `or`, axes by a word."""
    by_axis: dict[str, list[str]] = {}
    for group in dict.fromkeys(groups):
        by_axis.setdefault(group.axis, []).append(group.name)
    return word.join(" or ".join(names) for names in by_axis.values())
