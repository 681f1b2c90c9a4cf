"""What the page of a user shows of them, beside what comes next."""

from __future__ import annotations

from dataclasses import dataclass

from tastemaker.serve.opened import Opened, Told
from tastemaker.serve.web.deeds import Deed, deeds_of
from tastemaker.serve.web.paging import Paging
from tastemaker.serve.web.strip import Strip, day, strip_of
from tastemaker.serve.web.tastes import Taste, Tastes
from tastemaker.understand.profile import Profile

DEEDS = 15
"""Events on a page."""
TASTES = 8
"""Groups that are shown."""
INTERESTS = 6
"""Interests, and as many dislikes, that are shown."""


@dataclass(frozen=True)
class UserView:
    """A user."""

    user: str
    in_log: bool
    """whether the run's log has them"""
    told: int
    """events that the store has of them"""
    erased: float | None
    """seconds since 1970 until which they were erased; None: they were not"""
    deeds: tuple[Deed, ...]
    """one page of what they did, newest first"""
    paging: Paging
    span: tuple[str, str] | None
    """day of the first and of the last event; None: nothing says"""
    strip: Strip | None
    tastes: tuple[Taste, ...]
    profile: Profile | None
    """None: nothing is counted of them"""

    @property
    def known(self) -> bool:
        """Whether anything is known of them."""
        return self.paging.total > 0


def user_view(run: Opened, told: Told, tastes: Tastes, page: int = 1) -> UserView:
    """A user as the run and the store know them.

    Args:
        run: The run.
        told: Who it is, and what was told of them.
        tastes: Of the run.
        page: Of their events, from 1.
    """
    saved, user = run.saved, told.user
    deeds = deeds_of(saved, told)
    timed = [(deed.time, deed.likes) for deed in deeds if deed.time is not None]
    times, likes = [time for time, _ in timed], [like for _, like in timed]
    paging = Paging(page, DEEDS, len(deeds))
    in_log = user in saved.data.interactions.user_codes
    profile = run.profile(user, INTERESTS) if in_log and told.erased is None else None
    chosen = run.asker_of(told).context.items
    return UserView(
        user,
        in_log,
        len(told.events),
        told.erased,
        tuple(deeds[paging.first : paging.end]),
        paging,
        (day(min(times)), day(max(times))) if times else None,
        strip_of(times, likes),
        tuple(tastes.of_user(chosen, TASTES)),
        profile if profile is not None and (profile.interests or profile.dislikes) else None,
    )
