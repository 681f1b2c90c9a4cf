"""A run that answers by ids."""

from pathlib import Path

import pytest

from tastemaker.artifacts import digest_of
from tastemaker.errors import BadInput
from tastemaker.run.answers import Answer
from tastemaker.run.wishes import Wishes
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Asked, Opened, Told, given_of
from tastemaker.serve.refusals import Refused


def test_a_version_is_the_runs_bytes(opened: Opened, finished_run: Path) -> None:
    assert digest_of(finished_run).startswith(opened.version) and len(opened.version) == 12
    assert opened.model == opened.saved.model_name()


def test_many_are_ranked_as_each_alone(opened: Opened) -> None:
    event = Event("e", "new", "i3", 5.0, "view")
    asked = [
        Asked(Told("u1"), Wishes(4)),
        Asked(Told("u2"), Wishes(3, deny=["i1"]), "sasrec"),
        Asked(Told("new", (event,)), Wishes(2)),
        Asked((given_of(event),), Wishes(2)),
        Asked((), Wishes(1, only=["Fun"])),
        Asked(Told("u1", erased=1e9), Wishes(2)),
    ]
    together = opened.rank(asked)
    assert together == [opened.rank([one])[0] for one in asked[:4]] + together[4:]
    assert isinstance(together[4], BadInput)
    known = [getattr(one, "known", None) for one in together]
    assert known == [True, True, True, False, None, False]


def test_events_must_be_of_a_kind_that_is_declared(opened: Opened) -> None:
    for kind in ("", "view", "shown"):
        opened.check_kinds([Event("e", "u", "i", 1, kind)])
    with pytest.raises(BadInput) as error:
        opened.check_kinds([Event("e", "u", "i", 1), Event("e", "u", "i", 1, "like")])
    assert "event 2" in error.value.where


def test_an_item_that_is_not_there_is_said(opened: Opened) -> None:
    opened.known_item("i3")
    with pytest.raises(Refused) as error:
        opened.known_item("x" * 9_000)
    assert error.value.status == 404 and len(error.value.what) < 300


def test_several_who_ask_what_goes_together_are_answered_each(opened: Opened) -> None:
    asked = [("i3", Wishes(2)), ("nowhere", Wishes(2)), ("i4", Wishes(3)), ("i3", Wishes(2))]
    first, wrong, second, again = opened.similar_each(asked)
    assert isinstance(wrong, Refused) and wrong.status == 404
    assert isinstance(first, Answer) and isinstance(second, Answer)
    assert (len(first.items), len(second.items)) == (2, 3) and again == first


def test_it_says_when_it_is_ready_for_that(finished_run: Path) -> None:
    fresh = Opened.open(finished_run)
    assert not fresh.ready_beside
    fresh.prepare_beside()
    assert fresh.ready_beside
