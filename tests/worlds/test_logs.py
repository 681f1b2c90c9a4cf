"""Worlds hold what they say: the planted answer can be found, and noise cannot be beaten."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from tastemaker.data.contexts import Contexts
from tastemaker.data.datasets import load
from tastemaker.data.groupings import Grouping
from tastemaker.data.splits import leave_one_out
from tastemaker.metrics.evaluate import EvalOptions, evaluate
from tastemaker.recommend.counting import COUNTING
from tastemaker.worlds.logs import World, long_memory, noise_only, planted_groups, write_large


@pytest.mark.parametrize("make", [long_memory, planted_groups, noise_only])
def test_the_same_seed_makes_the_same_world(make: object) -> None:
    one, two = make(seed=3), make(seed=3)  # type: ignore[operator]
    assert one.frame.equals(two.frame)
    assert not one.frame.equals(make(seed=4).frame)  # type: ignore[operator]


def score_of(world: World, model: object, filter_seen: bool = False) -> dict[str, float]:
    cuts = leave_one_out(world.interactions())
    options = EvalOptions((1, 10), filter_seen)
    found = evaluate(model, cuts.queries("test"), options)  # type: ignore[arg-type]
    return {name: found.mean(name) for name in ("hr@1", "hr@10")}


def test_long_memory_is_solved_by_looking_back_and_by_nothing_less() -> None:
    world = long_memory(users=300)
    log = world.interactions()
    following = world.truth["following"]

    class Oracle:
        def score(self, contexts: Contexts) -> torch.Tensor:
            scores = torch.zeros(len(contexts), log.num_items)
            for row in range(len(contexts)):
                back = contexts.slice(row, row + 1).items[-world.truth["lag"]]
                name = f"i{following[int(log.item_ids[int(back) - 1][1:])]}"
                scores[row, log.item_code(name) - 1] = 1
            return scores

    assert score_of(world, Oracle())["hr@1"] > 0.9
    fitted = COUNTING["markov-1"].fit(leave_one_out(log).train(), log.num_items)
    assert score_of(world, fitted)["hr@1"] < 0.1


def test_planted_groups_are_found_in_the_catalogue_and_in_the_events() -> None:
    world = planted_groups()
    log = world.interactions()
    grouping = Grouping.from_categories(world.catalog(), log.item_ids)
    assert grouping.num_groups == 8
    tastes = world.truth["tastes"]
    shares = []
    for user in range(0, 300, 10):
        codes = log.history(log.user_codes[f"u{user}"])
        groups = [world.groups[item] for item in log.decode(codes)]
        liked = {f"group {taste}" for taste in tastes[user]}
        shares.append(np.mean([group in liked for group in groups]))
    assert np.mean(shares) > 0.75
    fitted = COUNTING["item-knn"].fit(leave_one_out(log).train(), log.num_items)
    popular = COUNTING["popularity"].fit(leave_one_out(log).train(), log.num_items)
    found = score_of(world, fitted, filter_seen=True)["hr@10"]
    assert found > score_of(world, popular, filter_seen=True)["hr@10"] + 0.1


@pytest.mark.parametrize("name", ["popularity", "markov-last-5", "item-knn", "ease"])
def test_nobody_beats_chance_on_noise(name: str) -> None:
    world = noise_only(users=2000, items=100, length=10)
    log = world.interactions()
    fitted = COUNTING[name].fit(leave_one_out(log).train(), log.num_items)
    chance = 10 / (100 - 9)  # nine items are seen
    error = (chance * (1 - chance) / 2000) ** 0.5
    assert abs(score_of(world, fitted, filter_seen=True)["hr@10"] - chance) < 4 * error


@pytest.mark.parametrize("suffix", ["parquet", "csv"])
def test_large_logs_are_read_back(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"interactions.{suffix}"
    write_large(path, 20_000, users=500, items=300)
    log = load(tmp_path).interactions
    assert (log.num_events, log.num_users, log.num_items) == (20_000, 500, 300)
    counts = np.sort(np.bincount(log.items)[1:])[::-1]
    assert counts[:30].sum() > 0.15 * 20_000
    write_large(path, 20_000, users=500, items=300)
    assert load(tmp_path).interactions.sha256 == log.sha256


def test_large_logs_are_written_in_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for suffix in ("parquet", "csv"):
        path = tmp_path / f"large.{suffix}"
        write_large(path, 1_200_000, users=50, items=30)
        reader = pl.scan_parquet if suffix == "parquet" else pl.scan_csv
        times = reader(path).select("timestamp").collect().to_series()
        assert len(times) == 1_200_000
        assert times.is_sorted()
