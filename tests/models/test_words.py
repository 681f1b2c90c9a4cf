"""Words as vectors: the same each time, near where words are shared, zero where there are none."""

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.models.words import Words
from tastemaker.seams import Encode

TEXTS = [
    "a red wooden boat",
    "the red boat of wood",
    "a blue running shoe",
    "shoe for running, in blue",
    "",
    "a red wooden boat",
]


def test_texts_that_share_words_are_near() -> None:
    encode: Encode = Words(TEXTS, dim=4)
    vectors = encode(TEXTS)
    assert vectors.shape == (6, encode.dim) and vectors.dtype == np.float32
    lengths = np.linalg.norm(vectors, axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0, 1], atol=1e-6)
    near = vectors @ vectors.T
    assert near[0, 1] > near[0, 2] + 0.1 and near[2, 3] > near[0, 3] + 0.1
    np.testing.assert_array_equal(vectors[0], vectors[5])


def test_a_text_says_the_same_alone() -> None:
    encode = Words(TEXTS, dim=3)
    np.testing.assert_allclose(encode(TEXTS[2:3])[0], encode(TEXTS)[2], atol=1e-6)
    assert encode([]).shape == (0, encode.dim)
    assert not encode(["quite other words"]).any()


def test_equal_identities_give_equal_vectors() -> None:
    one, two = Words(TEXTS, dim=4), Words(TEXTS, dim=4)
    assert one.identity == two.identity and len(one.identity) == 64
    np.testing.assert_array_equal(one(TEXTS), two(TEXTS))
    others = [Words(TEXTS, dim=3), Words(TEXTS, dim=4, seed=1), Words([*TEXTS, "green"], dim=4)]
    assert len({one.identity, *(other.identity for other in others)}) == 4


@pytest.mark.parametrize("texts", [["one two"], ["word", "word"], ["word", ""]])
def test_few_words_have_few_axes(texts: list[str]) -> None:
    encode = Words(texts, dim=64)
    assert 1 <= encode.dim <= 3
    assert np.isfinite(encode(texts)).all() and encode(texts)[0].any()


@pytest.mark.parametrize("texts", [[], [""], ["?!", "…"]])
def test_texts_without_a_word_teach_nothing(texts: list[str]) -> None:
    with pytest.raises(BadInput):
        Words(texts)
