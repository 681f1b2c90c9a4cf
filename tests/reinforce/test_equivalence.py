"""Equivalence: canonical forms, numbers without any library, and groups merged by frequency."""

from collections.abc import Sequence

import pytest

from tastemaker.errors import BadInput
from tastemaker.reinforce.checkers import Checkers, Limits
from tastemaker.reinforce.equivalence import Form, all_equal, canonical, checked_answer, classes
from tests.reinforce.test_checker_process import needs_library


class Near(Checkers):
    """Takes texts for equal whose lengths differ by at most one: not transitive."""

    def __init__(self) -> None:
        super().__init__(program="tests.reinforce.scripted_checker")
        self.asked: list[tuple[str, str]] = []

    def equal(self, pairs: Sequence[tuple[str, str]]) -> list[bool]:
        self.asked += pairs
        return [abs(len(one) - len(other)) <= 1 for one, other in pairs]


def forms(*answers: str | None, kind: str = "maths") -> list[Form | None]:
    return [None if answer is None else canonical(answer, kind) for answer in answers]


def test_canonical_forms() -> None:
    assert canonical(" 1,000.50 ", "number").text == canonical("2001/2", "maths").text == "2001/2"
    assert canonical("50\\%", "maths").text == "50%"
    assert canonical("(b)", "choice").text == "B"
    assert canonical("a  b", "text").text == "a b"
    assert canonical("Tea", "json:drink").text == "Tea"
    assert canonical(r"\text{Evelyn}", "maths").text == canonical("$Evelyn$", "maths").text
    assert canonical(r"\dfrac{x}{2}", "maths").text == canonical(r"\frac{x}{2}", "maths").text
    assert canonical("5 km", "maths").text == "5"
    assert canonical("5 km", "maths", units=False).number is None
    with pytest.raises(BadInput):
        canonical("5", "sum")


def test_numbers_are_compared_without_a_checker() -> None:
    near = Near()
    pairs = [("1/2", "0.5"), ("50%", "0.5"), ("50%", "50"), ("1", "2"), ("0.333333", "1/3")]
    found = [(canonical(one, "maths"), canonical(other, "maths")) for one, other in pairs]
    assert all_equal(found, near) == [True, True, True, False, True]
    assert not near.asked
    assert all_equal(found, None) == [True, True, True, False, True]


def test_only_mathematics_is_asked_about() -> None:
    near = Near()
    for kind in ("number", "choice", "text", "json:a"):
        one, other = canonical("abc", kind), canonical("abd", kind)
        assert all_equal([(one, other), (one, one)], near) == [False, True]
    assert not near.asked
    one, other = canonical("x+1", "maths"), canonical("1+x", "maths")
    assert all_equal([(one, other)], near) == [True]
    assert all_equal([(one, other)], None) == [False]
    assert near.asked == [("x+1", "1+x")]


def test_points_and_intervals_are_compared_part_by_part() -> None:
    near = Near()
    pairs = [
        ("(3, 1/2)", r"\left( 3.0,\, \frac{1}{2} \right)", True),
        ("(3, 1/2)", "(1/2, 3)", False),
        ("(3, x+1)", "(4, 1+x)", False),
        ("(3, x+1)", "(3.0, 1+x)", True),
        ("[1, 2)", "[1.0, 2)", True),
    ]
    found = [(canonical(one, "maths"), canonical(other, "maths")) for one, other, _ in pairs]
    assert all_equal(found, near) == [said for *_, said in pairs]
    assert near.asked == [("x+1", "1+x")]


def test_groups_get_codes_in_the_order_of_first_answers() -> None:
    group = forms("0.5", None, "x", "1/2", r"\frac12", "2", "x")
    assert classes([group, []], None) == [[0, -1, 1, 0, 0, 2, 1], []]
    assert classes([[None, None]], None) == [[-1, -1]]


def test_a_percentage_joins_the_more_frequent_of_two_that_it_equals() -> None:
    assert classes([forms("50%", "50", "50", "0.5")], None) == [[0, 0, 0, 1]]
    assert classes([forms("50%", "50", "0.5", "0.5")], None) == [[0, 1, 0, 0]]
    # Were the percentage itself the most frequent, both would join it.
    assert classes([forms("50%", "50%", "50", "0.5")], None) == [[0, 0, 0, 0]]


def test_answers_are_merged_with_representatives_alone() -> None:
    """Equal are neighbours in length; a chain of neighbours is not one class."""
    near = Near()
    group = forms("a", "bb", "ccc", "dddd", "dddd", "dddd", "a", "a")
    assert classes([group, forms("eeeeeee", "ffffffff")], near) == [
        [0, 0, 1, 1, 1, 1, 0, 0],
        [0, 0],
    ]
    asked = set(near.asked)
    assert ("ccc", "bb") not in asked
    assert ("bb", "ccc") not in asked


def test_right_answers_that_no_answer_can_equal() -> None:
    assert checked_answer("1,000", "number").text == "1000"
    assert checked_answer("b", "choice").text == "B"
    for gold, kind in (("ten", "number"), ("K", "choice"), ("AB", "choice"), ("", "text"),
                       ("x" * 257, "maths"), (" ", "maths"), ("1", "sum")):  # fmt: skip
        with pytest.raises(BadInput):
            checked_answer(gold, kind)


@needs_library
def test_mathematics_merges_what_is_written_otherwise() -> None:
    group = forms("x+1", "1+x", r"\frac{2x+2}{2}", "x-1", r"\sqrt{4}", "2", r"2 \text{ cm}")
    with Checkers(Limits(cpu=10, wall=60)) as checkers:
        assert classes([group], checkers) == [[0, 0, 0, 1, 2, 2, 2]]


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        ('{"c":2, "b":[1,2]}', '{"b": [1, 2], "c": 2}'),
        ('["x",1]', '["x", 1]'),
        ('{"a": "\\u00fc"}', '{"a": "ü"}'),
    ],
)
def test_json_is_the_same_however_it_is_spelt(gold: str, said: str) -> None:
    assert checked_answer(gold, "json:a") == canonical(said, "json:a")
    assert checked_answer(gold, "text") != canonical(said, "text")


@pytest.mark.parametrize("kind", ["text", "maths", "json:a"])
def test_letters_are_the_same_however_they_are_composed(kind: str) -> None:
    assert canonical("Cafe\u0301", kind) == canonical("Caf\u00e9", kind)
