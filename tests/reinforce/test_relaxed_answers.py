import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tastemaker.errors import BadInput
from tastemaker.reinforce.relaxed_answers import (
    RULES,
    RuleName,
    denotation,
    number_share,
    relaxed_pix2struct,
    relaxed_strict,
    score,
    truth,
)

TABLE = [
    # answer, right answer, by the usual rule, by the strict one
    ("19.5", "19.5", True, True),
    ("19.9", "19.5", True, True),
    ("20.6", "19.5", False, False),
    ("19", "20", True, True),
    ("18.9", "20", False, False),
    ("-19.5", "19.5", False, False),
    ("2010", "2015", True, False),
    ("2010", "2010", True, True),
    ("2010.0", "2010", True, True),
    ("2009.9", "2010", True, False),
    ("20.1%", "2010", False, False),
    ("25", "25%", False, True),
    (".25", "25%", True, True),
    ("25%", "25%", True, True),
    ("26 %", "25%", True, True),
    ("2.5", "25%", False, False),
    ("25%", "25", False, False),
    ("25%", "0.25", True, True),
    ("0", "0.0", False, True),
    ("0.0", "0", False, True),
    ("0.0000000001", "0", False, True),
    ("0.001", "0", False, False),
    ("0%", "0", False, True),
    ("1,234", "1234", False, True),
    ("1234", "1,234", False, True),
    ("$1,234.50", "1234.5", False, True),
    ("12 dollars", "12", False, True),
    ("China", "china", True, True),
    (" china. ", "China", False, True),
    ("Chine", "China", False, False),
    ("", "China", False, False),
    ("nan", "12", False, False),
    ("inf", "12", False, False),
    ("inf", "inf", False, True),
    ("12", "China", False, False),
    ("1/2", "0.5", False, True),
    ("-3", "−3", False, True),
]


@pytest.mark.parametrize(("answer", "gold", "usual", "strict"), TABLE)
def test_every_oddity_under_both_rules(answer: str, gold: str, usual: bool, strict: bool) -> None:
    assert relaxed_pix2struct(answer, gold) is usual
    assert relaxed_strict(answer, gold) is strict


def test_a_name_in_the_picture_is_no_number() -> None:
    assert relaxed_strict("41", "40") and not relaxed_strict("41", "40", ["40", "41"])
    assert relaxed_strict(" 40 ", "40", ["40", "41"])


PARTS = ["China", "2010", "25%", "7"]


@pytest.mark.parametrize("rule", ["relaxed_pix2struct", "relaxed_strict", "denotation"])
def test_the_order_of_parts_does_not_matter(rule: RuleName) -> None:
    for order in itertools.permutations(PARTS):
        assert score("||".join(order), "||".join(PARTS), rule).right


def test_all_parts_must_match_and_none_be_too_many() -> None:
    rule: RuleName = "relaxed_strict"
    assert score("a || b", "a||b", rule).f1 == 1
    part = score("a||c", "a||b", rule)
    assert not part.right and part.f1 == 0.5
    assert not score("a", "a||b", rule).right and not score("a||b||b", "a||b", rule).right
    assert not score("a||a", "a||b", rule).right


def test_a_match_is_found_where_the_first_that_fits_is_another_ones() -> None:
    # 100 is near both, 104 only near 105: taken in order they would leave one over.
    assert score("100||95", "105||100", "relaxed_strict").right
    assert score("95||100", "100||105", "relaxed_strict").right


def test_any_of_several_ways_to_be_right_will_do() -> None:
    gold = "USA||China|||United States||PRC"
    assert score("prc||united states", gold, "relaxed_strict").right
    assert not score("USA||PRC", gold, "relaxed_strict").right
    assert score("USA||PRC", gold, "relaxed_strict").f1 == 0.5


@pytest.mark.parametrize(
    ("answer", "gold", "right"),
    [
        ("Yes", "true", True),
        ("supported", "TRUE", True),
        ("no.", "False", True),
        ("refuted", "entailed", False),
        ("1", "true", True),
        ("perhaps", "true", False),
        ("true", "perhaps", False),
        ("not", "false", False),
    ],
)
def test_statements(answer: str, gold: str, right: bool) -> None:
    assert truth(answer, gold) is right


@pytest.mark.parametrize(
    ("answer", "gold", "right"),
    [
        ("1,200", "1200.0", True),
        ("1200", "1201", False),
        ("March 5, 1998", "1998-03-05", True),
        ("5 March 1998", "1998-03-05", True),
        ("1998-03-06", "1998-03-05", False),
        ("Zürich", "zurich", True),
        ("“Lost”", "Lost", True),
        ("Lost (2004) [12]", "lost", True),
        ("Lost", "Found", False),
        ("(b)", "(b)", True),
        ("12 dollars", "12", False),
    ],
)
def test_denotations(answer: str, gold: str, right: bool) -> None:
    assert denotation(answer, gold) is right


def test_the_share_of_numbers_is_at_most_one() -> None:
    assert number_share("3 and 3 and 3 and 1,000", "3 of 1000") == 1
    assert number_share("3", "3 of 3") == 0.5
    assert number_share("3", "none") == 0


TEXT = st.one_of(
    st.text(max_size=30), st.text("0123456789.,%|$-/ e()[]", max_size=30), st.just("9" * 10_000)
)


@given(TEXT, TEXT, st.sampled_from(list(RULES)))
@settings(max_examples=300, deadline=None)
def test_any_two_texts_have_a_score_from_nought_to_one(a: str, b: str, rule: RuleName) -> None:
    scored = score(a, b, rule)
    assert 0 <= scored.f1 <= 1 and (scored.f1 == 1 or not scored.right)
    assert 0 <= number_share(a, b) <= 1


def test_many_parts_take_no_long_time() -> None:
    many = "||".join(["1"] * 5000)
    assert 0 < score(many, many, "relaxed_strict").f1 < 1
    assert not score(many, "||".join(["1"] * 100), "relaxed_strict").right


def test_a_rule_must_be_known() -> None:
    with pytest.raises(BadInput, match="no rule 'exact'"):
        score("a", "a", "exact")  # type: ignore[arg-type]
