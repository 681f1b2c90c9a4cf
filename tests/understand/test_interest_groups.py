"""Verified interests as groups: as profiles count them, of users and of items, saved and opened."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.contexts import Contexts
from tastemaker.data.declaration import Polarity
from tastemaker.data.groupings import OTHER, Grouping
from tastemaker.data.signals import Signals, signals
from tastemaker.errors import BadInput
from tastemaker.understand.everybody import Everybody
from tastemaker.understand.interest_groups import (
    counted_groups,
    item_groups,
    user_groups,
    verified_of,
)
from tastemaker.understand.profile import profile
from tastemaker.worlds.planted_interests import PlantedOptions, PlantedUsers, plant_users
from tastemaker.worlds.topics import TOPICS

USERS, ITEMS = pl.Series(["u", "v", "w"]), pl.Series(["a", "b", "c"])


def held(grouping: Grouping) -> list[set[str]]:
    rows = grouping.membership.toarray()
    return [{grouping.names[n] for n in np.flatnonzero(row)} for row in rows]


def test_users_are_in_the_groups_of_their_interests(tmp_path: Path) -> None:
    grouping = user_groups({"u": ["Tea", "Chess"], "w": ["tea "], "v": []}, USERS)
    assert (grouping.names, grouping.of) == (("Chess", "Tea", OTHER), "users")
    assert held(grouping) == [{"Tea", "Chess"}, {OTHER}, {"Tea"}]
    grouping.save(tmp_path / "interests.arrow")
    opened = Grouping.open(tmp_path / "interests.arrow", "users", 3)
    assert held(opened) == held(grouping)


def test_items_are_in_the_groups_that_they_prove() -> None:
    grouping = item_groups({"Tea": ["a", "c"], "Chess": {"a"}}, ITEMS)
    assert (grouping.names, grouping.of) == (("Chess", "Tea", OTHER), "items")
    assert held(grouping) == [{"Tea", "Chess"}, {OTHER}, {"Tea"}]


@pytest.mark.parametrize("interests", [{}, {"u": []}, {"x": ["Tea"]}])
def test_what_groups_nobody_or_somebody_unknown_is_refused(interests: dict[str, list[str]]) -> None:
    with pytest.raises(BadInput):
        user_groups(interests, USERS)


def planted(kinds: tuple[Polarity, ...]) -> tuple[PlantedUsers, Signals, Grouping, Contexts]:
    world = plant_users(PlantedOptions(users=20, kinds=kinds, events=13, length=100))
    found = signals(world.interactions(), world.declared)
    log = found.log
    grouping = Grouping.from_categories(world.catalog(), log.item_ids)
    return world, found, grouping, Contexts(np.arange(log.num_users), log.offsets, log.items)


KINDS: list[tuple[Polarity, ...]] = [
    ("explicit_positive", "implicit_positive", "implicit_negative", "explicit_negative"),
    ("implicit_positive", "explicit_negative"),
]


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize("own", [False, True])
def test_all_users_at_once_are_as_their_profiles_say(
    kinds: tuple[Polarity, ...], own: bool
) -> None:
    _, found, grouping, train = planted(kinds)
    everybody = Everybody.of(found, grouping, found.log.item_ids.to_list())
    profiles = [profile(user, everybody) for user in found.users()]
    made = counted_groups(train, found.codes, grouping, own)
    want = [
        {one.name for one in known.interests if one.verdict == "verified" and (one.own or not own)}
        for known in profiles
    ]
    assert held(made) == [names or {OTHER} for names in want]
    assert made.of == "users"
    assert any(want)
    if not own:
        users, items = verified_of(profiles)
        assert held(user_groups(users, found.log.user_ids)) == held(made)
        proving = item_groups(items, found.log.item_ids)
        assert {*proving.names} - {OTHER} == {*made.names} - {OTHER}


def test_planted_interests_come_back() -> None:
    world, found, grouping, train = planted(KINDS[0])
    made = counted_groups(train, found.codes, grouping, own=False)
    for user, groups in zip(found.log.user_ids, held(made), strict=True):
        assert groups == {list(TOPICS)[topic - 1] for topic in world.oracle[user]}


def test_other_is_no_interest_and_no_interest_is_an_error() -> None:
    train = Contexts.single([1, 2, 3])
    codes = np.ones(3, np.int8)
    with pytest.raises(BadInput):
        counted_groups(train, codes, Grouping.from_labels([OTHER] * 3, "items"), own=False)
    with pytest.raises(BadInput):
        counted_groups(train, codes, Grouping.from_labels(["Tea", "Tea", None], "items"), False)
    made = counted_groups(train, codes, Grouping.from_labels(["Tea"] * 3, "items"), own=False)
    assert (made.names, held(made)) == (("Tea",), [{"Tea"}])
