"""Communities: planted groups are found again, in bounded memory, the same every time."""

import sys
import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

from tastemaker.data.contexts import Contexts
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput
from tastemaker.recommend.communities import NEWEST, by_size, communities
from tastemaker.worlds.logs import World, noise_only, planted_groups
from tests.data.histories import contexts_of


def train_of(world: World) -> tuple[Contexts, np.ndarray]:
    """Training events, and the group of each item by code."""
    log = world.interactions()
    group = [int(world.groups[item].removeprefix("group ")) for item in log.item_ids]
    return leave_one_out(log).train(), np.array(group)


@pytest.mark.parametrize(
    ("world", "least"),
    [
        (planted_groups(), 0.95),
        (planted_groups(users=100, length=15), 0.6),
        (planted_groups(users=3000, items=2000, groups=100, length=20), 0.95),
    ],
    ids=["plain", "few events", "a hundred groups"],
)
def test_planted_groups_are_found_again(world: World, least: float) -> None:
    train, group = train_of(world)
    labels = communities(train, len(group), most=1000)
    assert (labels >= 0).all()
    assert adjusted_rand_score(group, labels) > least
    chance = np.random.default_rng(0).permutation(labels)
    assert adjusted_rand_score(group, chance) < 0.05


def test_they_come_in_order_of_size_and_the_rest_is_in_none() -> None:
    log = noise_only().interactions()
    train = leave_one_out(log).train()
    every = communities(train, log.num_items, most=1000)
    sizes = np.bincount(every)
    assert len(sizes) > 5
    assert (np.diff(sizes) <= 0).all()
    few = communities(train, log.num_items, most=5)
    np.testing.assert_array_equal(few, np.where(every < 5, every, -1))


def test_items_without_events_or_without_company_are_in_none() -> None:
    rows = [[1, 2, 3], [1, 2, 3], [5, 6], [6, 5], [7], [7, 7]]
    labels = communities(contexts_of(rows), 8)
    assert labels.tolist() == [0, 0, 0, -1, 1, 1, -1, -1]
    assert (communities(contexts_of([[1], []]), 3) == -1).all()


def test_the_same_seed_gives_the_same_communities_whatever_ran_before() -> None:
    train, group = train_of(planted_groups(users=60, length=8))
    first = communities(train, len(group), most=1000, seed=4)
    communities(train, len(group), seed=1)
    for _ in range(3):
        np.testing.assert_array_equal(first, communities(train, len(group), most=1000, seed=4))


def test_more_resolution_gives_more_communities() -> None:
    log = noise_only().interactions()
    train = leave_one_out(log).train()
    few, many = (communities(train, log.num_items, at, most=1000).max() for at in (0.5, 5.0))
    assert many > few


def test_a_graph_of_equal_edges_ends() -> None:
    """Moves whose gain is rounding might go on for ever."""
    circle = [[item, item % 240 + 1] for item in range(1, 241)]
    labels = communities(contexts_of(circle), 240, most=1000)
    assert 1 < labels.max() < 120
    clique = communities(contexts_of([list(range(1, 31))]), 30, most=30)
    assert (clique >= 0).all()


def test_long_histories_need_no_dense_matrix() -> None:
    items, length = 40_000, 20_000
    rng = np.random.default_rng(0)
    rows = [rng.permutation(items)[:length] + 1 for _ in range(4)]
    offsets = np.arange(0, 4 * length + 1, length)
    train = Contexts(np.arange(4), offsets, np.concatenate(rows).astype(np.int32))
    tracemalloc.start()
    labels = communities(train, items)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert 0 < (labels >= 0).sum() <= 4 * NEWEST
    assert peak < 60e6, "a matrix of items by items would be 6 GB"


def test_only_what_is_chosen_counts_and_not_in_what_order_users_stand() -> None:
    train, group = train_of(planted_groups())
    labels = communities(train, len(group))
    turned = train.take(np.arange(len(train))[::-1].copy())
    np.testing.assert_array_equal(labels, communities(turned, len(group)))
    untimed = replace(train, times=None)
    np.testing.assert_array_equal(labels, communities(untimed, len(group)))


def test_labels_are_numbered_by_how_often_they_stand() -> None:
    labels = np.array([4, 2, 2, -1, 9, 9, 0])
    assert by_size(labels, 9).tolist() == [2, 0, 0, -1, 1, 1, 3]
    assert by_size(labels, 2).tolist() == [-1, 0, 0, -1, 1, 1, -1]
    counted = np.array([True, False, False, True, True, False, True])
    assert by_size(labels, 9, counted).tolist() == [0, -1, -1, -1, 1, 1, 2]
    assert by_size(np.full(3, -1), 2).tolist() == [-1, -1, -1]


def test_a_missing_library_names_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sknetwork.clustering", None)
    with pytest.raises(BadInput) as caught:
        communities(contexts_of([[1, 2]]), 2)
    assert "tastemaker[index]" in caught.value.fix
