"""Distances are 0 of a log to itself, and copies of histories are found."""

from dataclasses import replace

import numpy as np
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.interactions import Interactions
from tastemaker.data.polarity import polarities
from tastemaker.worlds.behaviour import Behaviour
from tastemaker.worlds.fidelity import fidelity, largest_difference, longest_run
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users


def behaviour(users: int, seed: int) -> Behaviour:
    world = plant_users(PlantedOptions(users=users, seed=seed))
    log = world.interactions()
    return Behaviour.of(log, polarities(log, world.declared), world.catalog())


def test_a_copy_is_found_out() -> None:
    real = behaviour(20, 0)
    copy = fidelity(real, real)
    assert all(one.distance == 0 for one in copy.marginals)
    assert copy.shared_histories == 20
    assert copy.shared_run > 20 > copy.shared_by_chance
    assert len(copy.rows()) == len(copy.marginals) + 2


def test_another_world_differs_and_shares_what_chance_gives() -> None:
    other = fidelity(behaviour(20, 0), behaviour(20, 1))
    assert other.shared_histories == 0
    assert abs(other.shared_run - other.shared_by_chance) <= 1
    by_name = {one.name: one for one in other.marginals}
    assert 0 < by_name["polarities"].distance < 0.1
    assert by_name["events of a user"].distance == 0
    assert other.to_json()["shared_histories"] == 0


def test_a_log_without_times_has_no_gaps_to_compare() -> None:
    real = behaviour(10, 0)
    timeless = replace(real, log=replace(real.log, times=None))
    assert len(fidelity(timeless, timeless).marginals) == len(fidelity(real, real).marginals) - 1


@pytest.mark.parametrize(
    ("one", "other", "length"),
    [("abcd", "xbcd", 3), ("abcd", "dcba", 1), ("ab|cd", "abcd", 2), ("ab", "xy", 0)],
)
def test_the_longest_run_stays_within_a_user(one: str, other: str, length: int) -> None:
    logs = []
    for text in (one, other):
        users = text.split("|")
        items = np.array([ord(letter) for user in users for letter in user], np.int64)
        logs.append((items, np.repeat(np.arange(len(users)), [len(user) for user in users])))
    assert longest_run(logs[0], logs[1]) == length == longest_run(logs[1], logs[0])


def test_samples_differ_by_the_largest_gap_of_their_distributions() -> None:
    assert largest_difference(np.array([1.0, 2.0]), np.array([1.0, 2.0, 1.0, 2.0])) == 0
    assert largest_difference(np.array([1.0, 2.0]), np.array([2.0, 2.0])) == 0.5
    assert largest_difference(np.array([1.0]), np.array([5.0])) == 1
    assert largest_difference(np.empty(0), np.array([5.0])) == 1


def test_a_bare_log_is_compared_too() -> None:
    log = Interactions.from_sequences({"a": ["x", "y"], "b": ["y"]})
    bare = Behaviour.of(log, np.array([1, 2, 1], np.int8), Catalog.empty())
    assert fidelity(bare, bare).shared_run == 2
