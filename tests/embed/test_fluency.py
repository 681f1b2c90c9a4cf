"""Perplexity of tokens, not of answers, and answers that have the right words."""

import math
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.embed.fluency import exact, log_losses, perplexity
from tastemaker.errors import BadInput


def test_who_guesses_among_ten_has_a_perplexity_of_ten() -> None:
    tokens = np.array([1, 5, 30])
    assert perplexity(tokens * math.log(10), tokens) == pytest.approx(10)


@given(st.lists(st.tuples(st.floats(0, 1e3), st.integers(1, 50)), min_size=1, max_size=20))
def test_the_mean_over_answers_is_that_over_tokens(answers: list[tuple[float, int]]) -> None:
    sums, tokens = zip(*answers, strict=True)
    assert log_losses(sums, tokens).mean() == pytest.approx(sum(sums) / sum(tokens))


def test_what_is_lost_altogether_is_infinite() -> None:
    assert perplexity([1e6], [1]) == math.inf


@pytest.mark.parametrize(("sums", "tokens"), [([], []), ([1.0], [0]), ([1.0, 2.0], [1])])
def test_answers_without_tokens_say_nothing(sums: list[float], tokens: list[int]) -> None:
    with pytest.raises(BadInput):
        log_losses(sums, tokens)


def test_words_count_and_spaces_do_not() -> None:
    assert exact(["a  b\n", "a b c", ""], ["a b", "a b", ""]).tolist() == [1, 0, 1]


@given(
    st.lists(st.tuples(st.floats(0, 50), st.integers(1, 30)), min_size=2, max_size=12),
    st.randoms(),
)
@settings(max_examples=30, deadline=None)
def test_order_does_not_matter_and_twice_the_same_is_the_same(
    answers: list[tuple[float, int]], rng: Random
) -> None:
    once = perplexity(*zip(*answers, strict=True))
    moved = rng.sample(answers, len(answers))
    assert perplexity(*zip(*moved, strict=True)) == pytest.approx(once)
    assert perplexity(*zip(*(answers + answers), strict=True)) == pytest.approx(once)


@given(st.floats(0, 20), st.integers(1, 40), st.integers(1, 40))
@settings(max_examples=30, deadline=None)
def test_an_answer_in_two_parts_is_as_likely(sum_: float, first: int, second: int) -> None:
    """A token's loss counts as much in a long answer as in a short one."""
    share = sum_ / (first + second)
    parts = perplexity([share * first, share * second], [first, second])
    assert parts == pytest.approx(perplexity([sum_], [first + second]))


@pytest.mark.parametrize("sums", [[math.nan], [math.inf]])
def test_a_loss_that_is_none_makes_no_small_perplexity(sums: list[float]) -> None:
    assert not perplexity(sums, [1]) < math.inf


def test_answers_are_compared_one_by_one() -> None:
    with pytest.raises(ValueError):
        exact(["a"], ["a", "b"])
    assert exact([], []).shape == (0,)
    assert exact(["A", "é", "a\u00a0b"], ["a", "e\u0301", "a b"]).tolist() == [0, 0, 1]
