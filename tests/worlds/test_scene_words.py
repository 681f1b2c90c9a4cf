from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.worlds.scene_words import Absent, Claims, caption, claims, questions
from tastemaker.worlds.scenes import PLACES, SIZES, SceneOptions, Scenes, Thing, scenes
from tastemaker.worlds.sprites import shapes

SPRITES = shapes(variants=2)
WORLD = scenes(SPRITES, SceneOptions(scenes=200))
KINDS = get_args(Absent)


def test_a_caption_is_read_back_as_what_is_there() -> None:
    for things in WORLD.things:
        read = claims(caption(things, SPRITES.names), SPRITES.names)
        assert read is not None and read.count == ("one", "two", "three")[len(things) - 1]
        assert read.things == tuple(
            (SIZES[t.large], SPRITES.names[t.kind], PLACES[t.place]) for t in things
        )


def test_a_caption_reads_as_people_say_it() -> None:
    things = (Thing(2, False, 0), Thing(1, True, 2))
    text = "two : a small disc at top-left and a large frame at bottom-left"
    assert caption(things, SPRITES.names) == text
    wrong = "one : a small ring at top-left"  # what is wrong is read, and not mended
    assert claims(wrong, SPRITES.names) == Claims("one", (("small", "ring", "top-left"),))


@pytest.mark.parametrize(
    "text",
    ["", "two", "two : ", "five : a small disc at top-left", "two : a small disc",
     "two : a tiny disc at top-left", "two : a small disc at top-left and",
     "a small disc at top-left", "one : a small disc at top-left\n\none : a"],
)  # fmt: skip
def test_what_is_no_caption_claims_nothing(text: str) -> None:
    assert claims(text, SPRITES.names) is None


@given(st.text(alphabet="atwo :smldic-pef\n", max_size=60))
def test_any_text_can_be_read(text: str) -> None:
    read = claims(text, SPRITES.names)
    assert read is None or read.things


@pytest.mark.parametrize("absent", KINDS)
def test_what_is_asked_is_answered_by_the_truth(absent: Absent) -> None:
    asked = questions(WORLD, absent)
    for one in asked:
        assert one.yes == (one.kind in {t.kind for t in WORLD.things[one.scene]})
        assert SPRITES.names[one.kind] in one.text
    assert sum(one.yes for one in asked) * 2 == len(asked)
    assert asked == questions(WORLD, absent) and asked != questions(WORLD, absent, seed=1)


def absents(absent: Absent) -> np.ndarray:
    asked = questions(WORLD, absent, each=1)
    return np.array([(one.scene, one.kind) for one in asked if not one.yes])


def test_absent_things_are_chosen_as_asked() -> None:
    often = np.bincount([t.kind for things in WORLD.things for t in things], minlength=10)
    chance, popular = absents("random")[:, 1], absents("popular")[:, 1]
    assert often[popular].mean() > 1.3 * often[chance].mean()
    for scene, kind in absents("lookalike"):
        there = {t.kind for t in WORLD.things[scene]}
        free = {SPRITES.lookalikes[k] for k in there} - there
        assert not free or kind in free


def test_adversarial_things_are_those_most_seen_with_what_is_there() -> None:
    pair, alone = (Thing(0, False, 0), Thing(1, False, 1)), (Thing(0, False, 0),)
    rare = (Thing(0, True, 1), Thing(2, False, 3))
    world = Scenes(np.zeros((4, 64, 64), np.uint8), (pair, pair, rare, alone), SPRITES)
    asked = [one for one in questions(world, "adversarial", each=1) if not one.yes]
    assert asked[3].kind == 1
