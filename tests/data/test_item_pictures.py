"""Items with pictures: parts that share no picture, and what stands there twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.data.item_pictures import TEST, TRAIN, VALIDATION, ItemPictures
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


def test_rows_keep_everything_but_what_is_left_out() -> None:
    some = replace(items("abcd"), dropped=3)
    few = some.rows([2, 0])
    assert few.item_ids == ("i2", "i0") and few.hashes == ("c", "a") and few.dropped == 3
    assert few.paths == (Path("2.png"), Path("0.png")) and len(few) == 2
    assert len(some.rows([])) == 0
    without = replace(some, paths=(), hashes=()).rows([1])
    assert without.paths == () and without.texts == ("b",)


def test_the_sum_tells_what_is_learned_from_and_nothing_else() -> None:
    some = items("abcd")
    same = replace(some, file="elsewhere.csv", titles=("x",) * 4, dropped=1, paths=())
    assert same.sha256 == some.sha256
    for name in ("item_ids", "texts", "captions", "hashes"):
        changed = replace(some, **{name: ("other", *vars(some)[name][1:])})
        assert changed.sha256 != some.sha256, name
    joined = replace(some, texts=("a', 'b", *some.texts[1:]))
    assert joined.sha256 != some.sha256
