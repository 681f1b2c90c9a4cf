"""Items with pictures: parts that share no picture, and what stands there twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tastemaker.data.item_pictures import TEST, TRAIN, VALIDATION, ItemPictures, Wanted
from tastemaker.errors import BadInput


def items(hashes: str, texts: str = "") -> ItemPictures:
    ids = tuple(f"i{n}" for n in range(len(hashes)))
    words = tuple(texts or hashes)
    paths = tuple(Path(f"{n}.png") for n in range(len(hashes)))
    return ItemPictures("items.csv", ids, ids, words, words, paths, tuple(hashes))


def test_a_picture_stands_in_one_part() -> None:
    some = items("aabbccddeeffgghhiijj")
    parts = some.parts(0.2, 0.2, seed=3)
    assert (parts[::2] == parts[1::2]).all()
    assert [int((parts == part).sum()) for part in (TRAIN, VALIDATION, TEST)] == [12, 4, 4]


def test_parts_depend_on_the_seed_and_not_on_the_order_of_rows() -> None:
    some = items("abcdefghijklmnop")
    order = np.random.default_rng(0).permutation(len(some))
    parts, moved = some.parts(0.2, 0.2), some.rows(order).parts(0.2, 0.2)
    assert (parts[order] == moved).all()
    assert (parts != some.parts(0.2, 0.2, seed=1)).any()
    assert some.sha256 == some.rows(order).sha256
    assert some.sha256 != replace(some, captions=("x", *some.captions[1:])).sha256


@pytest.mark.parametrize(("hashes", "share"), [("abc", 0.1), ("aaaaaaaaaa", 0.1), ("abcdef", 0.5)])
def test_too_few_pictures_make_no_parts(hashes: str, share: float) -> None:
    with pytest.raises(BadInput, match="few"):
        items(hashes).parts(share, share)


def test_what_is_there_twice_is_counted() -> None:
    assert items("aabc", "wxyy").doubles() == {"texts": 2, "pictures": 2}
    assert items("abc").doubles() == {"texts": 0, "pictures": 0}


@given(
    st.lists(st.integers(0, 30), min_size=1, max_size=80),
    st.floats(0.05, 0.45),
    st.floats(0.05, 0.45),
    st.integers(0, 5),
)
def test_parts_of_any_catalogue(
    pictures: list[int], validation: float, test: float, seed: int
) -> None:
    """All three have pictures, training the most of them, or the catalogue is refused."""
    some = items("".join(chr(200 + one) for one in pictures))
    try:
        parts = some.parts(validation, test, seed)
    except BadInput:
        assert len(set(pictures)) < 2 / (1 - validation - test) + 4 or validation + test > 0.6
        return
    held = {part: {some.hashes[n] for n in np.flatnonzero(parts == part)} for part in range(3)}
    assert all(held.values()) and sum(map(len, held.values())) == len(set(pictures))
    assert len(held[TRAIN]) >= len(held[TEST]) and len(held[TRAIN]) >= 2


@given(st.lists(st.sampled_from("abcdefghijklmnop"), min_size=12, max_size=40), st.integers(0, 99))
@settings(max_examples=40, deadline=None)
def test_no_picture_stands_in_two_parts_and_copies_move_none(hashes: list[str], seed: int) -> None:
    """A further copy of a picture goes where the picture is, and moves no other."""
    assume(len(set(hashes)) > 5)
    some = items("".join(hashes))
    parts = some.parts(0.2, 0.2, seed)
    by_picture = {one: {int(p) for o, p in zip(hashes, parts, strict=True) if o == one}
                  for one in hashes}  # fmt: skip
    assert all(len(held) == 1 for held in by_picture.values())
    assert set.union(*by_picture.values()) == {TRAIN, VALIDATION, TEST}
    more = items("".join([*hashes, *hashes[:3]])).parts(0.2, 0.2, seed)
    assert (more[: len(hashes)] == parts).all() and (more[len(hashes) :] == parts[:3]).all()


@given(st.integers(6, 200), st.floats(0.01, 0.45), st.floats(0.01, 0.45))
@settings(max_examples=40, deadline=None)
def test_shares_are_those_that_were_asked_for(many: int, validation: float, test: float) -> None:
    some = items("".join(chr(200 + n) for n in range(many)))
    try:
        parts = some.parts(validation, test)
    except BadInput:
        assert many * (1 - validation - test) < 3 + many * test
        return
    for part, share in ((VALIDATION, validation), (TEST, test)):
        assert abs(int((parts == part).sum()) - share * many) <= 1
    assert (parts == TRAIN).sum() >= max(2, (parts == TEST).sum())


@pytest.mark.parametrize("hashes", ["", "a", "ab", "aaaaaaaaaaaaaaaa", "abababababab"])
def test_one_picture_or_two_are_too_few(hashes: str) -> None:
    with pytest.raises(BadInput) as caught:
        items(hashes).parts(0.1, 0.1)
    assert caught.value.where == "items.csv"
    assert ("1 different picture is" in caught.value.what) == (len(set(hashes)) == 1)


def test_rows_of_rows_keep_what_belongs_together() -> None:
    some = replace(items("abcdef", "uvwxyz"), dropped=3)
    part = some.rows([4, 1]).rows([1])
    assert (part.item_ids, part.texts, part.hashes) == (("i1",), ("v",), ("b",))
    assert part.paths == (Path("1.png"),) and part.dropped == 3
    assert len(some.rows([])) == 0 and some.rows([0, 0]).doubles() == {"texts": 2, "pictures": 2}
    bare = replace(some, paths=(), hashes=())
    assert bare.rows([2]).paths == () and bare.doubles()["pictures"] == 0


def test_the_sha_tells_what_is_learned_from_and_where_it_lies_not() -> None:
    some = items("abcdef")
    moved = replace(some, paths=tuple(Path("/elsewhere") / p for p in some.paths), file="other.csv")
    assert moved.sha256 == replace(some, titles=("x",) * 6).sha256 == some.sha256
    others = [
        replace(some, texts=("x", *some.texts[1:])), replace(some, hashes=("x", *some.hashes[1:])),
        replace(some, item_ids=("x", *some.item_ids[1:])), some.rows(range(5)),
        replace(some, texts=("\ud800", *some.texts[1:])),
    ]  # fmt: skip
    assert len({some.sha256, *(one.sha256 for one in others)}) == len(others) + 1


@pytest.mark.parametrize("name", ["text", "caption"])
def test_words_that_an_item_has_none_of_are_refused(name: str) -> None:
    with pytest.raises(BadInput, match="'titles'") as caught:
        Wanted(**{name: "titles"})  # type: ignore[arg-type]
    assert caught.value.where == f"--{name}" and "title, text" in caught.value.fix
