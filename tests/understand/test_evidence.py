"""Evidence: counting accuracy, citation validity and threshold compliance, by hand."""

import pytest

from tastemaker.data.declaration import Polarity
from tastemaker.data.signals import Event, UserSignals
from tastemaker.understand.evidence import CountingAccuracy, check_evidence, together, true_counts
from tastemaker.understand.interests import Interest

KINDS: tuple[Polarity, ...] = ("explicit_positive", "implicit_positive", "implicit_negative")
USER = UserSignals(
    "u",
    (
        Event("a", "implicit_positive"),
        Event("b", "implicit_positive"),
        Event("c", "implicit_positive"),
        Event("a", "explicit_positive"),
        Event("d", "implicit_negative"),
    ),
    KINDS,
)


def test_claimed_numbers_against_those_of_the_cited_items() -> None:
    """True are (E+ 1, I+ 3, I- 0) and (0, 0, 1); what is not claimed is claimed to be 0."""
    interests = [
        Interest("Tea", ("a", "b", "c"), claimed={"explicit_positive": 3, "implicit_positive": 3}),
        Interest("Chess", ("d",), claimed={"implicit_negative": 3}),
        Interest("Knitting", ("a",)),
    ]
    assert true_counts(USER, interests).tolist() == [[1, 3, 0, 0], [0, 0, 1, 0], [1, 1, 0, 0]]
    found = check_evidence(USER, interests)
    assert found.differences == ((2, 0, 0), (0, 0, 2))
    assert found.counting == {
        "explicit_positive": CountingAccuracy(0.5, 1.0, 1.0),
        "implicit_positive": CountingAccuracy(1.0, 0.0, 0.0),
        "implicit_negative": CountingAccuracy(0.5, 1.0, 1.0),
    }
    under = Interest("Tea", ("a", "b", "c"), claimed={"explicit_positive": 1})
    assert check_evidence(USER, [under]).counting["implicit_positive"].bias == -3


def test_ids_that_do_not_exist_and_entries_that_are_none() -> None:
    found = check_evidence(USER, [Interest("Tea", ("a", "x", "y"), unread=1)])
    assert (found.cited, found.existing, found.validity) == (4, 1, 0.25)
    assert check_evidence(USER, [Interest("Tea")]).validity is None


def test_claimed_polarities() -> None:
    types: dict[str, Polarity] = {
        "a": "explicit_positive",
        "b": "explicit_positive",
        "x": "explicit_positive",
        "d": "implicit_negative",
    }
    found = check_evidence(USER, [Interest("Tea", ("a", "b", "x"), types=types)])
    assert (found.typed, found.typed_right, found.type_validity) == (2, 1, 0.5)


def test_items_of_too_many_interests() -> None:
    interests = [Interest(name, ("a", "b")) for name in "xy"] + [Interest("z", ("a",))]
    found = check_evidence(USER, interests)
    assert (found.items, found.overused, found.overuse) == (2, 1, 0.5)


def test_compliance_takes_every_cited_item_for_relevant() -> None:
    interests = [Interest("Tea", ("a", "b")), Interest("Chess", ("b", "c")), Interest("Film")]
    found = check_evidence(USER, [*interests, Interest("Bad", ("a", "b"), problem="no list")])
    assert (found.interests, found.compliant, found.failed) == (4, 1, 1)
    assert found.compliance == 0.25


def test_users_add_up() -> None:
    one = check_evidence(USER, [Interest("Tea", ("a", "x"), claimed={})])
    both = together([one, check_evidence(USER, [Interest("Chess", ("b",), claimed={})])])
    assert (both.interests, both.cited, both.existing) == (2, 3, 2)
    assert both.counting["implicit_positive"].error == 1
    assert both.kinds == KINDS
    assert together([one]) == one


def test_without_interests_nothing_is_known() -> None:
    found = check_evidence(USER, [])
    assert (found.compliance, found.validity, found.type_validity) == (0, None, None)
    assert (found.overuse, found.counting) == (None, {})
    assert pytest.approx(found.compliance) == 0
