"""Planted interests: what was planted is what evidence proves, and nothing else is."""

from itertools import combinations
from typing import Any

import pytest

from tastemaker.data.declaration import POLARITIES, Polarity
from tastemaker.data.signals import signals
from tastemaker.errors import BadInput
from tastemaker.understand.groundedness import verified
from tastemaker.worlds.planted_interests import PlantedOptions, PlantedUsers, plant_users
from tastemaker.worlds.topics import TOPICS

SETS = [
    chosen
    for many in range(1, 5)
    for chosen in combinations(POLARITIES, many)
    if any(kind.endswith("positive") for kind in chosen)
]


def proved(world: PlantedUsers) -> dict[str, set[int]]:
    """Topics that all items of a history prove, by user."""
    found = signals(world.interactions(), world.declared, one_kind=True)
    assert set(found.kinds) <= set(world.options.kinds)
    kinds = world.options.kinds
    return {
        one.user: {
            topic
            for topic in range(1, len(TOPICS) + 1)
            if verified(one.counts(world.relevant(topic, one.items)), kinds)
        }
        for one in found.users()
    }


@pytest.mark.parametrize("kinds", SETS)
def test_interests_are_proved_and_decoys_and_noise_are_not(kinds: tuple[Polarity, ...]) -> None:
    negative = any(kind.endswith("negative") for kind in kinds)
    options = PlantedOptions(length=80 if negative else 50, users=8, kinds=kinds)
    world = plant_users(options)
    assert proved(world) == {user: set(known) for user, known in world.oracle.items()}
    assert {len(known) for known in world.oracle.values()} == {4}
    assert world.interactions().lengths.tolist() == [options.length] * 8
    assert not world.frame.select("user_id", "item_id").is_duplicated().any()


def test_decoys_miss_narrowly() -> None:
    world = plant_users(PlantedOptions(users=20, decoys=1.0))
    missed = set()
    for one in signals(world.interactions(), world.declared).users():
        for topic, role in world.planted[one.user].items():
            if role == "decoy":
                missed.add(tuple(one.counts(world.relevant(topic, one.items)).tolist()))
    assert missed == {(0, 2, 0, 0), (0, 3, 4, 0)}


@pytest.mark.parametrize("events", [3, 8, 15])
def test_an_interest_has_the_items_asked_for(events: int) -> None:
    world = plant_users(PlantedOptions(users=3, events=events, length=130))
    for one in signals(world.interactions(), world.declared).users():
        for topic in world.oracle[one.user]:
            assert len(world.relevant(topic, one.items)) == events


def test_distractors_are_of_none_of_the_interests() -> None:
    world = plant_users(PlantedOptions(users=2))
    others = world.distractors("u0", [*world.texts, "elsewhere"])
    assert len(others) == 40 * (len(TOPICS) - 4)
    assert not {world.topics[item] for item in others} & world.oracle["u0"]


def test_some_topics_are_common() -> None:
    oracle = plant_users(PlantedOptions(users=300)).oracle
    held = sorted(sum(topic in known for known in oracle.values()) for topic in range(1, 25))
    assert held[-1] > 150 > 30 > held[0]


def test_equal_options_give_equal_worlds() -> None:
    one, again = plant_users(PlantedOptions(users=3)), plant_users(PlantedOptions(users=3))
    assert one.frame.equals(again.frame)
    assert (one.texts, one.planted) == (again.texts, again.planted)
    assert not one.frame.equals(plant_users(PlantedOptions(users=3, seed=1)).frame)


def test_the_data_set_is_complete() -> None:
    dataset = plant_users(PlantedOptions(users=3)).dataset()
    assert set(dataset.declared.events.values()) == set(POLARITIES)
    assert set(dataset.interactions.item_ids) <= set(dataset.catalog.frame["item_id"])
    assert dataset.positives().num_events < dataset.interactions.num_events


@pytest.mark.parametrize(
    "knobs",
    [
        {"kinds": ("implicit_negative",)},
        {"interests": 0},
        {"interests": 20},
        {"events": 2},
        {"events": 50},
        {"length": 20},
        {"length": 10_000},
        {"kinds": ("implicit_positive",), "length": 100},
    ],
)
def test_worlds_that_cannot_be_made_are_refused(knobs: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        PlantedOptions(**knobs)


@pytest.mark.parametrize("kinds", SETS)
def test_a_world_that_is_not_refused_can_be_made(kinds: tuple[Polarity, ...]) -> None:
    made = 0
    for length in range(20, 120, 4):
        try:
            options = PlantedOptions(users=4, kinds=kinds, length=length)
        except BadInput:
            continue
        assert plant_users(options).frame.height == 4 * length
        made += 1
    assert made
