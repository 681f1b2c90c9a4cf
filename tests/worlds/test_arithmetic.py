"""Generated arithmetic: right answers, shares, the same again, and nothing held out in training."""

import re
from collections import Counter

import pytest

from tastemaker.errors import BadInput
from tastemaker.worlds.arithmetic import ArithmeticOptions, ArithmeticProblem, arithmetic


def test_texts_and_answers() -> None:
    assert ArithmeticProblem("+", (12, 7, 1)).text == "12 + 7 + 1"
    assert ArithmeticProblem("+", (12, 7, 1)).answer == 20
    assert ArithmeticProblem("-", (3, 7, 1)).answer == -5
    assert ArithmeticProblem("*", (3, 7, 2)).answer == 42


def test_answers_are_those_of_the_text() -> None:
    """Worked out from the text again, term by term."""
    made = arithmetic(ArithmeticOptions(train=60, held_out=30, terms=3, operations="+-*", seed=4))
    for problem in (*made.train, *made.held_out):
        first, *rest = re.findall(r"\d+", problem.text)
        value = int(first)
        for term in map(int, rest):
            value = {"+": value + term, "-": value - term, "*": value * term}[problem.operation]
        assert problem.answer == value


def test_sizes_shares_and_the_same_again() -> None:
    options = ArithmeticOptions(train=400, held_out=100, operations="+-", seed=1)
    made = arithmetic(options)
    assert (len(made.train), len(made.held_out)) == (400, 100)
    assert Counter(one.operation for one in (*made.train, *made.held_out)) == {"+": 250, "-": 250}
    assert made == arithmetic(options)
    assert made != arithmetic(ArithmeticOptions(train=400, held_out=100, operations="+-", seed=2))
    assert max(max(one.terms) for one in made.train) <= 99


@pytest.mark.parametrize("operations", ["+", "-", "*", "+-*"])
def test_no_problem_stands_twice_not_even_the_other_way_round(operations: str) -> None:
    options = ArithmeticOptions(60, 20, largest=20, operations=operations)
    made = arithmetic(options)
    keys = Counter(one.key for one in (*made.train, *made.held_out))
    assert set(keys.values()) == {1}
    sums = {frozenset(one.terms) for one in made.train if one.operation in "+*"}
    if len(operations) == 1:
        assert not sums & {frozenset(one.terms) for one in made.held_out if operations != "-"}


@pytest.mark.parametrize(
    "wrong",
    [
        {"train": -1},
        {"train": 0, "held_out": 0},
        {"terms": 1},
        {"terms": 21},
        {"largest": 0},
        {"largest": 10**10},
        {"operations": ""},
        {"operations": "+/"},
        {"largest": 9, "train": 1000},
    ],
)
def test_what_cannot_be_generated_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput):
        arithmetic(ArithmeticOptions(**wrong))  # type: ignore[arg-type]
