"""What the report says of the data: all that is known, nothing that is not."""

import pytest

from tastemaker.report import facts


def test_nothing_known_shows_nothing() -> None:
    assert facts.facts({}) == facts.split_facts({}) == []
    assert facts.events({}) == facts.not_learnt({}) == []


@pytest.mark.parametrize(
    ("learnt", "shown"), [(7, "7"), (0, "0"), (True, "yes"), (False, "no"), (None, "–"), ("x", "–")]
)
def test_how_much_of_an_event_is_learnt(learnt: object, shown: str) -> None:
    row = {"event": "like", "role": "explicit_positive", "count": 1200, "learnt": learnt}
    assert facts.events({"events": [row]}) == [("like", "explicit positive", "1,200", shown)]


def test_rows_that_are_none_are_left_out() -> None:
    assert facts.events({"events": [None, {"event": "view"}]}) == [("view", "", "–", "–")]
    assert facts.not_learnt({"not_learnt": ["x", {"why": "Too old."}]}) == [("–", "Too old.")]


def test_labels_have_units() -> None:
    found = dict(facts.facts({"users": 1234, "history_median": 7, "from_to": ["a", "b"]}))
    assert found == {
        "Users": "1,234",
        "Median history": "7 events",
        "First event": "a",
        "Last event": "b",
    }
