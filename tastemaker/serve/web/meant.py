"""Which item somebody means who types its id or its title: the one, or some to choose from."""

from __future__ import annotations

from dataclasses import dataclass

from tastemaker.data.categories import fold
from tastemaker.run.answers import Chosen
from tastemaker.serve.opened import Opened

NEAR = 12
"""Items to choose from."""


@dataclass(frozen=True)
class Meant:
    """What a text may stand for."""

    item: Chosen | None
    """the one item that has this id or title; None: there is none, or there are several"""
    near: tuple[Chosen, ...]
    """items whose titles hold or are like the text, best first"""


def meant(run: Opened, text: str) -> Meant:
    """What a text may stand for.

    Args:
        run: Whose items are meant.
        text: As it was typed.
    """
    near = run.saved.browse.search(text, NEAR)
    own = [one for one in near[:1] if one.item == text]
    called = own or [one for one in near if fold(one.title) == fold(text)]
    return Meant(called[0] if len(called) == 1 else None, near)
