"""What comes next for somebody, and how it moved."""

from tastemaker.run.answers import Answer
from tastemaker.run.events import Event as Given
from tastemaker.run.wishes import Wishes
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Asked, Opened, Told
from tastemaker.serve.web.next_items import next_items, without


def told(*items: str) -> Told:
    events = [Event(f"e{n}", "new", item, 1000 * n, "view") for n, item in enumerate(items)]
    return Told("new", tuple(events))


def test_it_is_what_the_run_says(opened: Opened) -> None:
    asked = Asked(told("i1", "i2"), Wishes(5))
    found = next_items(opened, asked)
    (same,) = opened.rank([asked])
    assert isinstance(same, Answer) and found.answer is not None
    assert found.answer.items == same.items
    assert found.model == opened.model and not found.moves.compared


def test_it_moves_when_something_happened(opened: Opened) -> None:
    now = told("i1", "i2", "i20")
    before = without(now, "e2")
    assert before is not None and len(before.events) == 2
    found = next_items(opened, Asked(now, Wishes(8)), Asked(before, Wishes(40)))
    assert found.moves.compared and found.moves.count("new", "up", "down") > 0
    alone = next_items(opened, Asked(before, Wishes(8)))
    assert alone.answer is not None
    was = {item.item: rank for rank, item in enumerate(alone.answer.items, start=1)}
    for place in found.moves.places:
        if place.item.item in was:
            assert place.before == was[place.item.item]


def test_an_event_that_is_not_there_compares_nothing() -> None:
    assert without(told("i1"), "other") is None


def test_what_a_model_refuses_stands_in_place_of_its_list(opened: Opened) -> None:
    for asked in (
        Asked(told("i1"), Wishes(5), "nonsense"),
        Asked(told("i1"), Wishes(5, boost={"Nonsense": 0.1})),
    ):
        found = next_items(opened, asked)
        assert found.answer is None and found.problem is not None and not found.moves.places


def test_a_history_is_read_as_it_is_given(opened: Opened) -> None:
    found = next_items(opened, Asked((Given("i1"), Given("i2")), Wishes(5, because=True)))
    assert found.answer is not None and len(found.answer.items) == 5
    assert any(item.because for item in found.answer.items)
