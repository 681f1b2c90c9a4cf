"""Perplexity of tokens, not of answers, and answers that have the right words."""

import math

import numpy as np
import pytest
from hypothesis import given
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
