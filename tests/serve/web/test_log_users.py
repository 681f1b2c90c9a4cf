"""Users of a run's log."""

from tastemaker.serve.opened import Opened
from tastemaker.serve.web.log_users import LogUsers


def test_the_busiest_stand_first_page_by_page(opened: Opened) -> None:
    log = LogUsers(opened.saved.data.interactions)
    every = log.busiest(len(log))
    assert [one.events for one in every] == sorted((one.events for one in every), reverse=True)
    assert len({one.user for one in every}) == len(log)
    assert log.busiest(3, 2) == every[2:5]
    assert log.busiest(3, len(log)) == []


def test_users_are_found_by_how_their_ids_begin(opened: Opened) -> None:
    log = LogUsers(opened.saved.data.interactions)
    some = log.busiest(1)[0]
    assert log.find(some.user) == some and some.newest is not None
    assert some in log.beginning(some.user, 5)
    assert all(one.user.startswith("u1") for one in log.beginning("u1", 50))
    assert len(log.beginning("", 2)) == 2
    assert log.find("nobody") is None and log.beginning("%", 5) == []
