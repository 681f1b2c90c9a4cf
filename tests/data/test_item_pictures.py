"""Items with pictures: parts that share no picture, and what stands there twice."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

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
