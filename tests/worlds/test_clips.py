"""Clips hold what is known of them, and questions need what they are said to need."""

from dataclasses import replace

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.worlds.clips import (
    COUNTS,
    DIRECTIONS,
    KINDS,
    LARGE,
    NEEDS,
    SMALL,
    TRAVEL,
    ClipOptions,
    Clips,
    answers,
    chance,
    clips,
    corner_at,
    questions,
)
from tastemaker.worlds.scenes import CELL
from tastemaker.worlds.sprites import garments, shapes

SPRITES = shapes(4)
QUIET = ClipOptions(40, noise=0.0)


@pytest.fixture(scope="module")
def made() -> Clips:
    return clips(SPRITES, QUIET)


def test_a_clip_is_a_function_of_seed_and_number(made: Clips) -> None:
    few = clips(SPRITES, replace(QUIET, clips=3))
    assert np.array_equal(few.frames, made.frames[:3]) and few.things == made.things[:3]
    other = clips(SPRITES, replace(QUIET, clips=3, seed=1))
    assert other.things != few.things


def place_of(clip: np.ndarray, place: int) -> np.ndarray:
    row, column = divmod(place, 2)
    return clip[:, row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]


def test_things_are_there_when_where_and_as_large_as_is_known(made: Clips) -> None:
    for clip, things in zip(made.frames, made.things, strict=True):
        assert sum(not thing.large for thing in things) == 1
        assert len({thing.place for thing in things}) == len({thing.kind for thing in things})
        for thing in things:
            seen = place_of(clip, thing.place) > 60
            there = seen.any(axis=(1, 2))
            assert there.nonzero()[0].tolist() == list(range(thing.comes, thing.goes))
            rows = np.ptp(seen[thing.comes].any(axis=1).nonzero()[0]) + 1
            columns = np.ptp(seen[thing.comes].any(axis=0).nonzero()[0]) + 1
            assert max(rows, columns) <= (LARGE if thing.large else SMALL)
        empty = {0, 1, 2, 3} - {thing.place for thing in things}
        assert all(place_of(clip, place).max() < 60 for place in empty)


def test_things_go_where_is_known(made: Clips) -> None:
    for clip, things in zip(made.frames, made.things, strict=True):
        for thing in things:
            seen = place_of(clip, thing.place) > 60
            ends = [np.array(seen[f].nonzero()).mean(axis=1) for f in (thing.comes, thing.goes - 1)]
            moved = np.rint(ends[1] - ends[0]).astype(int).tolist()
            steps = {"left": [0, -1], "right": [0, 1], "up": [-1, 0], "down": [1, 0]}
            wanted = steps[DIRECTIONS[thing.direction]]
            assert moved == [TRAVEL * step for step in wanted]


def test_questions_have_the_answers_that_are_known(made: Clips) -> None:
    asked = questions(made)
    for one in asked:
        things, names = made.things[one.clip], made.names
        assert one.answer in answers(names)
        if one.kind == "what":
            assert one.answer == next(names[t.kind] for t in things if not t.large)
        elif one.kind == "how many":
            assert one.answer == COUNTS[len(things) - 1]
        elif one.kind == "order":
            assert one.answer == names[things[0].kind] and things[0].comes < things[1].comes
        else:
            assert {DIRECTIONS[t.direction] for t in things} == {one.answer}
    assert {one.kind for one in asked} == set(KINDS) == set(NEEDS)
    assert not any(one.kind == "order" and len(made.things[one.clip]) == 1 for one in asked)
    only = questions(made, ["order"])
    assert {one.kind for one in only} == {"order"}


def test_no_frame_answers_what_needs_time() -> None:
    """In no single frame are all things there, for a good part; guessing is far from right."""
    many = clips(SPRITES, ClipOptions(300))
    several = [things for things in many.things if len(things) > 1]
    middle = [sum(t.comes <= 8 < t.goes for t in things) == len(things) for things in several]
    assert np.mean(middle) < 0.6
    guessed = chance(questions(many))
    assert guessed["direction"] < 0.35 and guessed["how many"] < 0.45
    assert guessed["what"] < 0.2 and guessed["order"] < 0.2


def test_garments_that_are_handed_in_move_as_well() -> None:
    labels = np.arange(20) % 10
    images = np.full((20, 28, 28), 200, np.uint8)
    made = clips(garments(images, labels), ClipOptions(3))
    assert made.frames.shape == (3, 16, 64, 64) and "sneaker" in made.names


@pytest.mark.parametrize("bad", [{"clips": 0}, {"frames": 4}, {"noise": 2.0}])
def test_options_that_make_no_clip_are_refused(bad: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        ClipOptions(**bad)


@pytest.mark.parametrize("frames", [8, 12, 16, 32])
def test_clips_of_any_length_keep_their_rules(frames: int) -> None:
    made = clips(SPRITES, ClipOptions(60, frames))
    assert made.frames.shape == (60, frames, 64, 64)
    for things in made.things:
        assert things[0].comes == 0 and 1 <= len(things) <= len(COUNTS)
        for first, later in zip(things, things[1:], strict=False):
            assert first.comes <= later.comes
        for thing in things:
            assert 0 <= thing.comes < thing.goes <= frames
            assert thing.goes - thing.comes >= round(0.35 * frames)
            assert 0 <= thing.kind < len(made.names)


@pytest.mark.parametrize("number", range(4))
def test_a_thing_never_leaves_its_place(number: int) -> None:
    made = clips(SPRITES, ClipOptions(40, seed=number))
    for things in made.things:
        for thing in things:
            size = LARGE if thing.large else SMALL
            row, column = divmod(thing.place, 2)
            for frame in (thing.comes, (thing.comes + thing.goes) // 2, thing.goes - 1):
                top, left = corner_at(thing, frame)
                assert row * CELL <= top and top + size <= (row + 1) * CELL
                assert column * CELL <= left and left + size <= (column + 1) * CELL


def test_noise_is_as_strong_as_was_asked_for() -> None:
    quiet, loud = (clips(SPRITES, ClipOptions(4, noise=noise)) for noise in (0.0, 0.2))
    assert quiet.things == loud.things
    spread = [made.frames[0, :, :4, :4].std() / 255 for made in (quiet, loud)]
    assert spread[0] < spread[1]
    assert np.array_equal(clips(SPRITES, ClipOptions(4, noise=0.2)).frames, loud.frames)


def test_answers_are_words_that_no_question_gives_away(made: Clips) -> None:
    every = answers(made.names)
    assert len(set(every)) == len(every) == 10 + len(COUNTS) + len(DIRECTIONS)
    assert not {word for one in questions(made) for word in one.text.split()} & set(every)
