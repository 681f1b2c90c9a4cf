"""What a user likes by group, beside everybody."""

from dataclasses import replace

import numpy as np
import pytest

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.tastes import Taste, Tastes


def test_shares_are_of_what_was_chosen(opened: Opened) -> None:
    saved = opened.saved
    tastes = Tastes.of(saved)
    chosen = saved.interactions.history(0)
    found = tastes.of_user(chosen, 50)
    every = np.unique(chosen)
    for one in found:
        inside = saved.grouping.members(saved.grouping.code(one.name))
        assert one.items == int(inside[every - 1].sum())
        assert one.share == pytest.approx(one.items / len(every))
        assert one.others == pytest.approx(float(inside[saved.interactions.items - 1].mean()))
    assert [one.items for one in found] == sorted((one.items for one in found), reverse=True)
    assert tastes.of_user(chosen, 1) == found[:1]
    assert set(tastes.names) >= {one.name for one in found}


def test_nothing_chosen_and_nothing_named_say_nothing(opened: Opened) -> None:
    assert Tastes.of(opened.saved).of_user([], 5) == []
    bare = Tastes(None, np.empty(0))
    assert bare.of_user([1, 2], 5) == [] and bare.names == ()


def test_words_say_only_what_is_clear() -> None:
    taste = Taste("Drama", 5, 0.5, 0.25)
    assert taste.lift == "2.0 × everybody"
    assert replace(taste, others=0.45).lift == ""
    assert replace(taste, others=0.9).lift == "less than everybody"
    assert replace(taste, items=1).lift == "" and replace(taste, others=0.0).lift == ""
