"""What the page of a user shows of them."""

from tastemaker.serve.events import Event
from tastemaker.serve.opened import Opened, Told
from tastemaker.serve.web.tastes import Tastes
from tastemaker.serve.web.user_view import DEEDS, user_view


def test_a_user_of_the_log_has_everything(opened: Opened) -> None:
    tastes = Tastes.of(opened.saved)
    view = user_view(opened, Told("u1"), tastes)
    assert view.known and view.in_log and view.told == 0
    assert len(view.deeds) == min(DEEDS, view.paging.total)
    assert view.strip is not None and view.span is not None
    assert view.tastes and view.profile is not None and view.profile.interests


def test_a_user_who_was_only_told_of_has_tastes_of_that(opened: Opened) -> None:
    events = tuple(Event(f"e{n}", "new", f"i{n}", 1000 * n, "view") for n in (1, 3, 5))
    view = user_view(opened, Told("new", events), Tastes.of(opened.saved))
    assert view.known and not view.in_log and view.told == 3
    assert [(taste.name, taste.share) for taste in view.tastes] == [("Odd", 1.0)]
    assert view.profile is None


def test_nobody_has_nothing(opened: Opened) -> None:
    view = user_view(opened, Told("nobody"), Tastes.of(opened.saved))
    assert not view.known and not view.deeds and not view.tastes
    assert (view.strip, view.span, view.profile) == (None, None, None)


def test_of_an_erased_user_nothing_of_before_is_shown(opened: Opened) -> None:
    view = user_view(opened, Told("u1", (), 4e9), Tastes.of(opened.saved))
    assert not view.known and view.erased == 4e9
    assert view.tastes == () and view.profile is None


def test_pages_of_events(opened: Opened) -> None:
    events = tuple(Event(f"e{n}", "new", f"i{n}", n, "view") for n in range(DEEDS + 2))
    told, tastes = Told("new", events), Tastes.of(opened.saved)
    assert [len(user_view(opened, told, tastes, page).deeds) for page in (1, 2, 3)] == [
        DEEDS,
        2,
        0,
    ]
