"""Synthetic items are as many and as popular as the real ones, under other ids."""

from collections import Counter

import numpy as np

from tastemaker.data.polarity import polarities
from tastemaker.worlds.behaviour import Behaviour
from tastemaker.worlds.fitted_items import fitted_items, new_names
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

WORLD = plant_users(PlantedOptions(users=20))
LOG = WORLD.interactions()
REAL = Behaviour.of(LOG, polarities(LOG, WORLD.declared), WORLD.catalog())


def test_items_keep_categories_and_lose_ids_and_texts() -> None:
    items = fitted_items(REAL, np.random.default_rng(0))
    frame = items.catalog(np.random.default_rng(0)).frame
    assert Counter(own[0] for own in frame["categories"]) == Counter(
        own[0] for own in REAL.categories
    )
    assert not set(frame["item_id"]) & set(LOG.item_ids)
    assert not set(frame["text"]) & set(WORLD.texts.values())
    assert frame["item_id"].is_unique().all()


def test_a_history_has_as_many_new_and_old_items_as_asked() -> None:
    items, rng = fitted_items(REAL, np.random.default_rng(0)), np.random.default_rng(1)
    even = np.full(len(REAL.names), 1 / len(REAL.names))
    assert len(np.unique(items.history(even, 50, 0, rng))) == 50
    assert len(np.unique(items.history(even, 50, 20, rng))) == 30
    everything = items.history(even, 2 * LOG.num_items, 0, rng)
    assert len(np.unique(everything)) == LOG.num_items
    one = np.zeros(len(REAL.names))
    one[3] = 1
    places = items.history(one, 5, 0, rng)
    assert ((items.starts[3] <= places) & (places < items.starts[4])).all()


def test_names_that_are_taken_are_not_given() -> None:
    assert new_names("user", 2, {"user1"}) == ["user-0", "user-1"]
    assert new_names("user", 1, {"user1"}) == ["user0"]
