"""Lists of users: found by their ids, told of last, and those of the run's log."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tastemaker.serve.opened import Opened
from tastemaker.serve.people import Active
from tastemaker.serve.service import Service
from tastemaker.serve.web.log_users import LogUser, LogUsers
from tastemaker.serve.web.paging import Paging
from tastemaker.serve.web.per_run import PerRun

LISTED = 20
"""Users of a list."""


@dataclass(frozen=True)
class Found:
    """A user who was found by their id."""

    user: str
    exact: bool
    """whether the whole id was given"""
    events: int
    """of the run's log"""
    told: bool
    """whether the store has events of them"""


@dataclass(frozen=True)
class UserList:
    """What the page of users shows."""

    asked: str
    """beginning of an id; empty: nobody is looked for"""
    found: tuple[Found, ...]
    active: tuple[Active, ...]
    """one page of the store"""
    told: Paging
    """of them; how many there are beyond the page after is not known"""
    busiest: tuple[LogUser, ...]
    """one page of the log"""
    paging: Paging


class UserLists:
    """Lists of users.

    Args:
        service: What they are of.
    """

    def __init__(self, service: Service) -> None:
        self.service = service
        self._log = PerRun(lambda run: LogUsers(run.saved.data.interactions))

    def of(self, run: Opened, asked: str, page: int = 1, told: int = 1) -> UserList:
        """What a page shows; those who were erased are not listed.

        Args:
            run: The run.
            asked: Beginning of an id; empty: nobody is looked for.
            page: Of the users of the log, from 1.
            told: Page of those told of last, from 1.

        Raises:
            Unavailable: If the database is away.
        """
        log, store = self._log.of(run), self.service.store
        paging = Paging(page, LISTED, len(log))
        if asked:
            nobody = Paging(1, LISTED, 0)
            return UserList(asked, tuple(self._found(log, asked)), (), nobody, (), paging)
        busiest = log.busiest(LISTED, paging.first)
        gone = store.erased([one.user for one in busiest])
        there = tuple(one for one in busiest if one.user not in gone)
        first = (told - 1) * LISTED
        newest = store.people.newest(LISTED + 1, first)
        active = Paging(told, LISTED, first + len(newest))
        return UserList("", (), tuple(newest[:LISTED]), active, there, paging)

    def _found(self, log: LogUsers, asked: str) -> Iterable[Found]:
        """Users whose id begins so: the one who is called exactly so first."""
        store, own = self.service.store, log.find(asked)
        counts = {asked: own.events if own else 0}
        counts |= {one.user: one.events for one in log.beginning(asked, LISTED)}
        told = set(store.people.beginning(asked, LISTED))
        if store.history(asked, 1):
            told.add(asked)
        gone = store.erased([*counts, *told])
        for user in dict.fromkeys([*counts, *sorted(told)]):
            events = 0 if user in gone else counts.get(user, 0)
            if events or user in told:
                yield Found(user, user == asked, events, user in told)
