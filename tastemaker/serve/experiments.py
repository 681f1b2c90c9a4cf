"""Experiments: which of some models answers a user, by a hash, and for ever the same.

The sha256 of the experiment's name and the user's id places a user in [0, 1), on which the arms lie
side by side as wide as their shares. So every server, process and restart agrees without a word;
experiments of different names are independent; and of two arms the one whose share grows takes
users of the other and loses none.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import accumulate, pairwise

from tastemaker.errors import BadInput
from tastemaker.serve.events import checked_id

_OPTION = "--experiment"
_FIX = "Write NAME=MODEL,MODEL, or NAME=MODEL:SHARE,MODEL:SHARE with shares that make 1."
_TINY = 1e-9


@dataclass(frozen=True)
class Assigned:
    """A user's part in an experiment."""

    experiment: str
    arm: str
    """model that answers them"""


@dataclass(frozen=True)
class Experiment:
    """A name, and two or more models of a run with the share of users that each answers.

    Raises:
        BadInput: If the name is none, or the arms are no split of all users.
    """

    name: str
    arms: tuple[tuple[str, float], ...]
    """model and share; the first is the control, with which the others are compared"""

    def __post_init__(self) -> None:
        """Refuse what does not split users."""
        checked_id(self.name, _OPTION)
        models = [model for model, _ in self.arms]
        if len(models) < 2 or len(set(models)) < len(models) or "" in models:
            what = f"Experiment {self.name!r:.80} needs two or more different models."
            raise BadInput(what, _OPTION, _FIX)
        shares = [share for _, share in self.arms]
        if not all(0 < share < 1 for share in shares) or abs(sum(shares) - 1) > _TINY:
            what = f"The shares of {self.name!r:.80} do not make 1, or one of them is not above 0."
            raise BadInput(what, _OPTION, _FIX)

    @classmethod
    def parse(cls, text: str) -> Experiment:
        """The experiment that `NAME=MODEL,MODEL` or `NAME=MODEL:SHARE,…` writes.

        Raises:
            BadInput: If it writes none.
        """
        name, given, rest = text.rpartition("=")
        arms = [part.strip().partition(":") for part in rest.split(",")]
        if not given or len({mark for _, mark, _ in arms}) > 1:
            what = f"{text!r:.80} is no experiment."
            raise BadInput(what, _OPTION, _FIX)
        try:
            shares = [float(share) if mark else 1 / len(arms) for _, mark, share in arms]
        except ValueError:
            raise BadInput(f"A share in {text!r:.80} is no number.", _OPTION, _FIX) from None
        models = [model.strip() for model, _, _ in arms]
        return cls(name.strip(), tuple(zip(models, shares, strict=True)))

    def check(self, models: Collection[str]) -> None:
        """Refuse arms that a run does not have.

        Raises:
            BadInput: Naming the first, and the models there are.
        """
        for model, _ in self.arms:
            if model not in models:
                what = f"The run has no model {model!r:.80}, which is to answer in an experiment."
                raise BadInput(what, _OPTION, f"Use models of the run: {', '.join(models)}.")

    def assigned(self, user: str) -> Assigned:
        """A user's part in it."""
        return Assigned(self.name, self.arm_at(place_of(self.name, user)))

    def arm_at(self, place: float) -> str:
        """The arm that lies at a place in [0, 1)."""
        return next((arm for arm, end in self._ends() if place < end), self.arms[-1][0])

    def _ends(self) -> Iterator[tuple[str, float]]:
        end = 0.0
        for arm, share in self.arms:
            yield arm, (end := end + share)

    @property
    def bounds(self) -> list[float]:
        """Places at which one arm ends and the next begins."""
        return list(accumulate(share for _, share in self.arms[:-1]))

    @property
    def text(self) -> str:
        """The arms as the store keeps them."""
        return json.dumps(self.arms, separators=(",", ":"))

    @classmethod
    def of_text(cls, name: str, text: str) -> Experiment:
        """What `text` wrote.

        Raises:
            BadInput: If it did not.
        """
        try:
            arms = tuple((str(model), float(share)) for model, share in json.loads(text))
        except (TypeError, ValueError):
            raise BadInput(f"{text!r:.80} are no arms.", "arms", _FIX) from None
        return cls(name, arms)


def place_of(name: str, user: str) -> float:
    """Where in [0, 1) the experiment of a name has a user; ids hold no zero byte."""
    digest = sha256(f"{name}\0{user}".encode()).digest()
    return math.ldexp(int.from_bytes(digest[:8]) >> 11, -53)


def settled(declared: Sequence[Experiment], place: float) -> str | None:
    """The arm of a place in all of an experiment's splits; None: it was moved by one of them."""
    arms = {one.arm_at(place) for one in declared}
    return arms.pop() if len(arms) == 1 else None


def settled_shares(declared: Sequence[Experiment]) -> dict[str, float]:
    """Arm → share of all users whom no split of an experiment has moved."""
    shares = dict.fromkeys((arm for one in declared for arm, _ in one.arms), 0.0)
    cuts = sorted({0.0, 1.0, *(bound for one in declared for bound in one.bounds)})
    for low, high in pairwise(cuts):
        if arm := settled(declared, (low + high) / 2):
            shares[arm] += high - low
    return shares
