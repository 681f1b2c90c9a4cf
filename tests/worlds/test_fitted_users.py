"""Synthetic users are like the real ones in sum, and none of them is one."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.catalog import Catalog
from tastemaker.data.datasets import load
from tastemaker.data.declaration import Declaration
from tastemaker.data.gist_rows import read_gist
from tastemaker.data.interactions import Interactions
from tastemaker.errors import BadInput
from tastemaker.understand.tasks import open_task
from tastemaker.worlds.fitted_users import FittedUsers, between, fitted_users, shares
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users
from tastemaker.worlds.topics import FILLERS

FILMS = load("movielens-small")


@pytest.fixture(scope="module")
def films() -> FittedUsers:
    return fitted_users(FILMS.interactions, FILMS.declared, FILMS.catalog, users=150, seed=1)


def test_marginals_are_those_of_the_real_log(films: FittedUsers) -> None:
    distances = {one.name: one.distance for one in films.fidelity.marginals}
    assert len(distances) == 8
    assert max(distances.values()) < 0.15
    assert distances["polarities"] < 0.06
    assert films.frame["user_id"].n_unique() == 150


def test_no_id_text_or_history_of_a_real_user_is_kept(films: FittedUsers) -> None:
    real, made = FILMS.interactions, films.interactions()
    assert not set(made.user_ids) & set(real.user_ids)
    assert not set(films.catalog.frame["item_id"]) & set(FILMS.catalog.frame["item_id"])
    words = {word for text in films.catalog.frame["text"] for word in text.split()}
    genres = {f"{name}," for name in FILMS.catalog.frame["categories"].explode().unique() if name}
    assert words <= set(FILLERS) | {part for name in genres for part in (name, name[:-1])}
    assert films.fidelity.shared_histories == 0
    assert films.fidelity.shared_run <= films.fidelity.shared_by_chance + 1
    # Nor is anybody's whole bag of categories, whatever the order.
    categories = [
        dict(catalog.frame.select("item_id", "categories").iter_rows())
        for catalog in (FILMS.catalog, films.catalog)
    ]
    bags = [
        {
            tuple(sorted(str(own[item] or "") for item in log.decode(log.history(user))))
            for user in range(log.num_users)
        }
        for log, own in zip((real, made), categories, strict=True)
    ]
    assert not bags[0] & bags[1]


def test_equal_seeds_give_equal_users() -> None:
    world = plant_users(PlantedOptions(users=20))

    def again(seed: int) -> pl.DataFrame:
        made = fitted_users(world.interactions(), world.declared, world.catalog(), 20, seed)
        return made.frame

    assert again(0).equals(again(0))
    assert not again(0).equals(again(1))


def test_a_written_folder_is_a_task(films: FittedUsers, tmp_path: Path) -> None:
    films.write(tmp_path / "made")
    read = read_gist(tmp_path / "made/rows.csv")
    assert read.interactions.num_events == len(films.frame)
    task = open_task(tmp_path / "made")
    assert task.signals.log.num_users == 150
    assert set(task.texts) == set(films.catalog.frame["item_id"])
    assert task.categories
    told = json.loads((tmp_path / "made/fidelity.json").read_text())
    assert told == json.loads(json.dumps(films.fidelity.to_json()))


def test_a_bare_log_is_fitted_and_its_repeats_kept() -> None:
    rng = np.random.default_rng(0)
    log = Interactions.from_sequences(
        {f"u{user}": [f"i{item}" for item in rng.integers(0, 9, 30)] for user in range(12)}
    )
    made = fitted_users(log, Declaration(), Catalog.empty(), users=12)
    assert "timestamp" not in made.frame.columns
    assert made.catalog.frame["categories"].null_count() == len(made.catalog.frame)
    again = next(one for one in made.fidelity.marginals if one.name == "items met again")
    assert again.distance < 0.1
    assert set(made.frame["event"]) == {"implicit_positive"}


def test_what_hides_nobody_is_refused() -> None:
    log = Interactions.from_sequences({f"u{user}": ["x", "y"] for user in range(3)})
    with pytest.raises(BadInput, match="3 users"):
        fitted_users(log, Declaration(), Catalog.empty(), users=5)
    with pytest.raises(BadInput):
        fitted_users(FILMS.interactions, FILMS.declared, FILMS.catalog, users=0)


def test_shares_spread_as_those_of_real_users_do() -> None:
    rng = np.random.default_rng(0)
    for strength in (0.5, 30.0):
        truth = rng.dirichlet(np.full(6, strength), 400)
        counts = rng.multinomial(60, truth).astype(np.int64)
        drawn = shares(counts, 2_000, rng)
        assert np.allclose(drawn.sum(1), 1)
        assert drawn.mean(0) == pytest.approx(counts.sum(0) / counts.sum(), abs=0.03)
        assert drawn.std() == pytest.approx(truth.std(), rel=0.2)


def test_lots_lie_between_values() -> None:
    lots = between([3, 9, 5], 1_000, np.random.default_rng(0))
    assert lots.min() >= 3 and lots.max() <= 9 and len(np.unique(lots)) > 900
    assert np.median(lots) == pytest.approx(5, abs=0.3)
