"""Lists of users."""

import pytest

from tastemaker.serve.events import Event
from tastemaker.serve.service import Service
from tastemaker.serve.web.user_list import LISTED, UserLists


@pytest.fixture
def lists(service: Service) -> UserLists:
    return UserLists(service)


def tell(service: Service, *users: str) -> None:
    batch = [Event(f"{user} {n}", user, "i1", 2e9 + n) for n, user in enumerate(users)]
    service.store.append(batch)


def test_the_log_is_listed_page_by_page(service: Service, lists: UserLists) -> None:
    tell(service, "new", "u1")
    one, two = lists.of(service.run, "", 1), lists.of(service.run, "", 2)
    assert [active.user for active in one.active] == ["u1", "new"]
    assert len(one.busiest) == LISTED and not {u.user for u in one.busiest} & {
        u.user for u in two.busiest
    }


def test_who_was_told_of_is_listed_page_by_page(service: Service, lists: UserLists) -> None:
    for start in (0, 15):
        tell(service, *(f"new{n:02}" for n in range(start, start + 15)))
    one, two = lists.of(service.run, ""), lists.of(service.run, "", told=2)
    users = [user.user for user in (*one.active, *two.active)]
    assert users == [f"new{n:02}" for n in range(29, -1, -1)]
    assert (one.told.after, two.told.before, two.told.after) == (2, 1, None)
    assert lists.of(service.run, "", told=9).active == ()


def test_a_whole_id_is_found_before_those_that_begin_so(service: Service, lists: UserLists) -> None:
    tell(service, "u1x", "u1")
    found = lists.of(service.run, "u1", 1).found
    assert (found[0].user, found[0].exact, found[0].told) == ("u1", True, True)
    assert {"u1x", "u10"} <= {one.user for one in found}
    assert not any(one.exact for one in found[1:])
    by_id = {one.user: one for one in found}
    assert by_id["u1x"].events == 0 and by_id["u10"].events > 0 and not by_id["u10"].told


def test_nobody_is_found_by_nonsense(service: Service, lists: UserLists) -> None:
    assert lists.of(service.run, "nobody", 1).found == ()


def test_who_was_erased_is_not_listed(service: Service, lists: UserLists) -> None:
    busiest = lists.of(service.run, "", 1).busiest[0].user
    service.store.erase(busiest)
    assert busiest not in [one.user for one in lists.of(service.run, "", 1).busiest]
    assert busiest not in [one.user for one in lists.of(service.run, busiest, 1).found]
    service.store.append([Event("later", busiest, "i1", 4e9)])
    (again,) = [one for one in lists.of(service.run, busiest, 1).found if one.exact]
    assert (again.events, again.told) == (0, True)
