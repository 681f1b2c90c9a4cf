"""Clips hold what is known of them, and questions need what they are said to need."""

from collections import Counter
from collections.abc import Callable, Iterable
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
    Asked,
    ClipOptions,
    Clips,
    answers,
    chance,
    clips,
    corner_at,
    questions,
)
from tastemaker.worlds.scenes import CELL
from tastemaker.worlds.sprites import garments, parted, shapes

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


def test_the_answer_is_seen_in_the_frames_and_nothing_else(made: Clips) -> None:
    """Every question answered again from the drawn pixels, with the kind of each thing alone."""
    for one in questions(made):
        film, things, names = made.frames[one.clip], made.things[one.clip], made.names
        seen = {p: place_of(film, p) > 60 for p in range(4)}
        there = {p: own.any(axis=(1, 2)).nonzero()[0] for p, own in seen.items() if own.any()}
        called = {thing.place: names[thing.kind] for thing in things}
        if one.kind == "how many":
            assert one.answer == COUNTS[len(there) - 1]
        elif one.kind == "order":
            first = min(there, key=lambda p: there[p][0])
            assert one.answer == called[first]
            assert sum(frames[0] == there[first][0] for frames in there.values()) == 1
        elif one.kind == "what":
            spans = {p: max(np.ptp(own.any(axis=axes).nonzero()[0])
                            for own, axes in ((seen[p][frames[0]], 0), (seen[p][frames[0]], 1)))
                     for p, frames in there.items()}  # fmt: skip
            smaller = [called[p] for p, span in spans.items() if span < SMALL]
            assert one.answer in smaller
        else:
            place = next(iter(there))  # all things go one way
            first, last = (np.array(seen[place][f].nonzero()).mean(axis=1)
                           for f in (there[place][0], there[place][-1]))  # fmt: skip
            moved = last - first
            axis = int(np.abs(moved).argmax())
            wanted = (("up", "down"), ("left", "right"))[axis][int(moved[axis] > 0)]
            assert one.answer == wanted


@pytest.fixture(scope="module")
def several() -> Clips:
    """What is in many clips; the least of their frames that there may be are drawn."""
    return clips(SPRITES, ClipOptions(800, frames=8, noise=0.0))


def shares(values: Iterable[object]) -> dict[object, float]:
    counted = Counter(values)
    return {value: many / counted.total() for value, many in counted.items()}


def test_every_answer_is_as_likely_as_its_like(several: Clips) -> None:
    """Four standard errors at 800 clips."""
    asked = questions(several)
    names = several.names
    for kind, answers_of, many in (
        ("direction", DIRECTIONS, 4), ("how many", COUNTS, 3), ("what", names, 10),
        ("order", names, 10),
    ):  # fmt: skip
        given = shares(one.answer for one in asked if one.kind == kind)
        assert set(given) == set(answers_of)
        total = sum(one.kind == kind for one in asked)
        spread = 4 * np.sqrt((1 / many) * (1 - 1 / many) / total)
        assert all(abs(share - 1 / many) < spread for share in given.values())


def told_by(pairs: list[tuple[object, object]]) -> float:
    """Share of right answers of the best rule that knows the first of each pair alone.

    The rule is made on one half and tried on the other, so that it cannot learn by heart.
    """
    half = len(pairs) // 2
    rule: dict[object, Counter[object]] = {}
    for clue, answer in pairs[:half]:
        rule.setdefault(clue, Counter())[answer] += 1
    usual = Counter(answer for _, answer in pairs[:half]).most_common(1)[0][0]
    right = [(rule[clue].most_common(1)[0][0] if clue in rule else usual) == answer
             for clue, answer in pairs[half:]]  # fmt: skip
    return float(np.mean(right))


def test_no_length_place_or_number_of_a_clip_tells_an_answer(several: Clips) -> None:
    things, names = several.things, several.names
    asked = questions(several)
    clues: dict[str, Callable[[Asked], object]] = {
        "length of the question without its name": lambda one: len(one.text.split()),
        "place in the list": lambda one: one.clip % 12,
        "length of the first stay": lambda one: things[one.clip][0].goes,
        "place of the first": lambda one: things[one.clip][0].place,
        "when the last comes": lambda one: things[one.clip][-1].comes - len(things[one.clip]),
    }
    for kind, least in (("direction", 4), ("what", len(names)), ("order", len(names))):
        own = [one for one in asked if one.kind == kind]
        for name, clue in clues.items():
            right = told_by([(clue(one), one.answer) for one in own])
            spread = 4 * np.sqrt((1 / least) * (1 - 1 / least) / (len(own) / 2))
            assert right < 1 / least + spread, (kind, name)


def test_where_a_thing_is_in_the_middle_frame_is_far_from_telling_where_it_goes() -> None:
    """It tells something: what came at the beginning is by then more often past its middle."""
    many, seen = clips(SPRITES, ClipOptions(300, frames=16, noise=0.0)), []
    for things in many.things:
        for thing in things:
            if thing.comes <= 8 < thing.goes:
                row, column = corner_at(thing, 8)
                clue = (thing.large, row % CELL // 4, column % CELL // 4)
                seen.append((clue, thing.direction))
    assert 0.2 < told_by(seen) < 0.5


def test_kind_size_place_and_way_of_a_thing_say_nothing_of_one_another(several: Clips) -> None:
    every = [thing for things in several.things for thing in things]
    for one, other, many in (("kind", "direction", 4), ("place", "direction", 4),
                             ("kind", "large", 2), ("direction", "place", 4)):  # fmt: skip
        pairs = [(vars(thing)[one], vars(thing)[other]) for thing in every]
        usual = max(shares(answer for _, answer in pairs).values())
        spread = 4 * np.sqrt(usual * (1 - usual) / (len(pairs) / 2))
        assert told_by(pairs) < usual + spread, (one, other, many)


def test_the_small_one_is_as_often_first_as_later(several: Clips) -> None:
    pairs = [things for things in several.things if len(things) == 2]
    assert np.mean([not things[0].large for things in pairs]) == pytest.approx(0.5, abs=0.1)
    threes = [things for things in several.things if len(things) == 3]
    where = shares([thing.large for thing in things].index(False) for things in threes)
    assert all(share == pytest.approx(1 / 3, abs=0.1) for share in where.values())


def test_the_same_seed_gives_the_same_bytes_and_noise_is_all_that_noise_changes() -> None:
    options = ClipOptions(4, frames=9, noise=0.1, seed=5)
    one, same = clips(SPRITES, options), clips(SPRITES, options)
    assert one.frames.tobytes() == same.frames.tobytes() and one.things == same.things
    quiet = clips(SPRITES, replace(options, noise=0.0))
    assert quiet.things == one.things and questions(quiet) == questions(one)
    gap = one.frames.astype(int) - quiet.frames
    assert gap.std() > 5 and abs(gap).max() < 255


def test_a_longer_film_shows_the_same_number_of_things(made: Clips) -> None:
    for frames in (8, 16, 40):
        drawn = clips(SPRITES, ClipOptions(30, frames=frames, noise=0.0))
        assert drawn.frames.shape == (30, frames, 64, 64)
        for things in drawn.things:
            assert [t.comes for t in things] == sorted(t.comes for t in things)
            assert things[0].comes == 0 and all(0 <= t.comes < t.goes <= frames for t in things)
            assert all(t.goes - t.comes >= round(0.35 * frames) for t in things)
            assert all(t.comes >= round(0.2 * frames) for t in things[1:])


def test_a_thing_goes_straight_all_the_way_and_never_back(made: Clips) -> None:
    for things in made.things:
        for thing in things:
            path = np.array([corner_at(thing, f) for f in range(thing.comes, thing.goes)])
            moved, axis = np.diff(path, axis=0), int(thing.direction < 2)
            assert not moved[:, 1 - axis].any()
            assert len(set(np.sign(moved[:, axis]))) <= 2 and abs(moved[:, axis].sum()) == TRAVEL
            top, left = divmod(thing.place, 2)
            side = LARGE if thing.large else SMALL
            assert ((path >= [top * CELL, left * CELL]) & (
                path + side <= [(top + 1) * CELL, (left + 1) * CELL])).all()  # fmt: skip


def test_parted_sprites_make_clips_that_share_no_picture() -> None:
    """What a model is tried on it has not been shown, though every kind is on either side."""
    train, held = parted(shapes(8), 0.25, seed=1)
    for one, other in zip(train.images, held.images, strict=True):
        seen = {image.tobytes() for image in one}
        assert len(one) + len(other) == 8 and not any(image.tobytes() in seen for image in other)
    options = ClipOptions(6, frames=8, noise=0.0)
    sides = [clips(sprites, options) for sprites in (train, held)]
    assert sides[0].names == sides[1].names and sides[0].things == sides[1].things
    assert not any(
        np.array_equal(a, b) for a, b in zip(sides[0].frames, sides[1].frames, strict=True)
    )


def test_asking_less_asks_the_same(made: Clips) -> None:
    asked = questions(made)
    for kind in KINDS:
        assert questions(made, [kind]) == [one for one in asked if one.kind == kind]
    assert [one.clip for one in asked] == sorted(one.clip for one in asked)
    assert set(chance(questions(made, ["what"]))) == {"what"} and chance([]) == {}
    words = {word for one in asked for word in one.text.split()}
    assert words <= {"what", "is", "small", "how", "many", "things", "came", "first", "where",
                     "do", "the", "go", *made.names}  # fmt: skip
    ends = {(one.kind, one.text.split()[-1]) for one in asked}
    assert len(ends) == len({end for _, end in ends}) == len(KINDS)
