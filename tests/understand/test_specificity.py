"""Specificity: line-ups that anybody can draw again, and what counts of what is picked."""

import subprocess
import sys

import pytest

from tastemaker.data.declaration import POLARITIES
from tastemaker.data.signals import Event, UserSignals
from tastemaker.errors import BadInput
from tastemaker.understand.interests import Interest
from tastemaker.understand.specificity import (
    NOTHING,
    LineUp,
    SpecificityOptions,
    draw_line_up,
    draw_pool,
    pick_precision,
    picked,
    specificity,
)

SIZES = SpecificityOptions(pool=60, size=12, backing=3)
USER = UserSignals("u", tuple(Event(f"i{n}", "implicit_positive") for n in range(20)), POLARITIES)
TEA = Interest("Tea", ("i1", "i2", "i3", "i4", "i5", "nowhere"))
POOL = [f"i{n}" for n in range(100)]


def test_a_line_up_holds_cited_items_of_the_history_among_others() -> None:
    found = draw_line_up(USER, TEA, POOL, SIZES)
    assert len(found.items) == len(set(found.items)) == 12
    assert found.k == 3
    assert found.backing <= {"i1", "i2", "i3", "i4", "i5"}
    others = set(found.items) - found.backing
    assert not others & set(USER.items), "none of the user's history"
    assert set(found.items[:3]) != found.backing, "shuffled"


def test_the_reference_shows_other_items_of_the_user_but_none_that_is_cited() -> None:
    everything = SpecificityOptions(pool=200, size=100, backing=3)
    found = draw_line_up(USER, TEA, POOL, everything, "reference")
    others = set(found.items) - found.backing
    assert others & set(USER.items)
    assert not others & set(TEA.cited)


def test_fewer_items_than_asked_for() -> None:
    few = draw_line_up(USER, Interest("Tea", ("i1",)), ["i50"], SIZES)
    assert set(few.items) == {"i1", "i50"}
    none = draw_line_up(USER, Interest("Tea", ("nowhere",)), POOL, SIZES)
    assert none.k == 0
    assert picked(none, list(none.items)).share == 0


def test_lots_depend_on_seed_user_and_interest_alone() -> None:
    found = draw_line_up(USER, TEA, POOL, SIZES)
    assert found == draw_line_up(USER, TEA, reversed(POOL), SIZES)
    assert found != draw_line_up(USER, Interest("Coffee", TEA.cited), POOL, SIZES)
    other = SpecificityOptions(pool=60, size=12, backing=3, seed=1)
    assert found != draw_line_up(USER, TEA, POOL, other)
    pool = draw_pool(POOL, SIZES)
    assert len(set(pool)) == 60
    assert pool == draw_pool([*POOL, *reversed(POOL)], SIZES)
    assert pool != draw_pool(POOL, other)


def test_processes_with_other_hash_seeds_draw_the_same() -> None:
    code = (
        "from tests.understand.test_specificity import *\n"
        "one = draw_line_up(USER, TEA, set(draw_pool(set(POOL), SIZES)), SIZES)\n"
        "print(one.items, sorted(one.backing), picked(one, one.items).correct)"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(said) == 1
    assert "i" in said.pop()


SHOWN = LineUp(("a", "x", "b", "y", "c"), frozenset("abc"))


def test_picking_everything_is_right_in_the_reference_alone() -> None:
    every = ["y", "x", "a", "b", "c"]
    assert picked(SHOWN, every, mode="reference").share == 1
    strict = picked(SHOWN, every)
    assert strict.share == pytest.approx(1 / 3)
    assert (strict.picked, strict.right) == (5, 3)
    assert pick_precision([strict, NOTHING]) == 0.6
    assert pick_precision([NOTHING]) is None


def test_repeats_and_items_that_were_not_shown_do_not_count() -> None:
    found = picked(SHOWN, ["a", "a", "elsewhere", "b", "c"])
    assert (found.correct, found.picked, found.share) == (3, 3, 1)
    assert picked(SHOWN, []).share == 0


def test_over_relevant_items_alone() -> None:
    found = picked(SHOWN, ["a", "x", "y"], relevant=["a", "b"])
    assert found.share == pytest.approx(1 / 3)
    assert found.relevant_share == 0.5
    assert picked(SHOWN, ["a"], relevant=[]).relevant_share == 0


def test_categories_that_are_not_verified_do_not_count() -> None:
    shares, verified = [0.6, 1.0, 1.0, 0.0], {1: 0.5, 2: 1.0, 3: 0.0}
    assert specificity([1, 1, 2, 3], shares, verified) == pytest.approx(0.9)
    assert specificity([3], [1.0], {3: 0.0}) == 0
    assert specificity([], [], {}) == 0


@pytest.mark.parametrize("sizes", [{"size": 5}, {"pool": 0}, {"backing": 0}])
def test_sizes_that_leave_no_test_are_refused(sizes: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        SpecificityOptions(**sizes)


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_a_seed_that_is_none_is_refused_before_anybody_is_asked(seed: int) -> None:
    with pytest.raises(BadInput, match="seed"):
        SpecificityOptions(seed=seed)
