"""Names of groups that nobody named: short, telling and all different."""

import numpy as np
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from tastemaker.data.categories import fold
from tastemaker.recommend.group_names import around, distinct, holding, said


@given(st.lists(st.sampled_from(["a", "A", " a ", "a (2)", "other", "Other", "", "b"])))
def test_names_are_distinct_however_they_are_spelt(names: list[str]) -> None:
    folded = [fold(name) for name in distinct(names)]
    assert len(set(folded)) == len(names)
    assert not {"other", ""} & set(folded)


def test_a_name_that_is_free_stays() -> None:
    assert distinct(["x", "y", "x", "x (2)"]) == ("x", "y", "x (2)", "x (2) (2)")


def test_items_are_named_after_the_one_that_is_chosen_most() -> None:
    labels, counts = np.array([1, 0, -1, 0, 1, 2]), np.array([1, 2, 99, 5, 1, 0])
    titles = ["A", "B", "C", "D\n(1995)", "E", "x" * 200]
    names = around(labels, counts, titles)
    assert names[:2] == ("around D (1995)", "around A")
    assert len(names[2]) < 80
    assert around(labels, counts, ["same"] * 6)[1:] == ("around same (2)", "around same (3)")


def test_texts_are_named_after_the_words_that_others_have_not() -> None:
    texts = ["star trek space", "the star trek space ship", "the love song", "the song", "star", ""]
    labels = np.array([0, 0, 1, 1, -1, -1])
    first, second = said(labels, texts)
    assert first == "space · star · trek"
    assert second == "song · love"


def test_groups_that_share_their_words_are_told_apart_by_more() -> None:
    texts = ["love war moon", "love war", "war love sun", "love war"] + ["leaf"] * 8
    labels = np.array([0, 0, 1, 1] + [2] * 8)
    names = said(labels, texts, words=2)
    assert names == ("love · war · moon", "love · war · sun", "leaf")


def test_small_words_and_numbers_name_what_has_no_others() -> None:
    assert said(np.array([0, 1, 2]), ["1984", "the who", "space"]) == ("1984", "the · who", "space")
    assert said(np.array([0, 0]), ["the 39 steps", "the steps"]) == ("steps",)


def test_what_has_no_words_is_called_otherwise() -> None:
    labels = np.array([0, 1, 1])
    assert said(labels, ["", "space war", "war"], otherwise=("a", "b")) == ("a", "war · space")
    assert said(labels, ["1", "", "5"], otherwise=("same", "same")) == ("same", "same (2)")
    assert len(set(said(labels, ["", "", ""]))) == 2
    (name,) = said(np.array([0]), ["x" * 500])
    assert len(name) < 80


def test_users_are_named_after_what_they_hold_more_of_than_others() -> None:
    held = sp.csr_array(np.array([[0.5, 0.4, 0.1], [0.5, 0.1, 0.4], [0, 0, 1.0], [0.6, 0.4, 0]]))
    names = ["Comedy", "War", "other"]
    labels = np.array([0, 1, 2, 0])
    assert holding(labels, held, names) == (
        "users of War · Comedy",
        "users of Comedy",
        "users of other",
    )
    assert holding(np.zeros(4, np.int64), held, names) == ("users of Comedy · War",)
