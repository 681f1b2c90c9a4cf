"""Verdicts: what is there is found, what is not is not, and what is broken is said loudly."""

import asyncio
import json
import random
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl
import pytest

from tastemaker.metrics.unpaired import detectable
from tastemaker.run.wishes import Wishes
from tastemaker.serve.events import Event
from tastemaker.serve.experiment_counts import Counts
from tastemaker.serve.experiment_results import METRICS, experiment_summary, results_of
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS

SPLIT = Experiment.parse("x=a,b")


@dataclass(frozen=True)
class Made:
    """An arm as it is made up."""

    users: int
    positives: float
    """of a user, on average"""
    hits: float = 0.0
    """share of them on what was shown"""


def counts_of(seed: int, split: Experiment = SPLIT, **arms: Made) -> Counts:
    rng, parts = np.random.default_rng(seed), []
    for arm, made in arms.items():
        positives = rng.poisson(made.positives, made.users)
        yes = np.ones(made.users, bool)
        parts.append(
            pl.DataFrame(
                {
                    "user_id": [f"{arm}{n}" for n in range(made.users)],
                    "arm": [arm] * made.users,
                    "moved": ~yes,
                    "both": ~yes,
                    "known": yes,
                    "ripe": yes,
                    "answers": yes.astype(int),
                    "events": positives,
                    "positives": positives,
                    "hits": rng.binomial(positives, made.hits),
                    "undeclared": np.zeros(made.users, int),
                }
            )
        )
    users = pl.concat(parts)
    return Counts((split,), users, {"v": len(users)})


def verdicts(counts: Counts) -> list[str]:
    return [pair["verdict"] for pair in results_of(counts)["differences"]]


def test_two_arms_that_are_the_same_seldom_differ() -> None:
    same = [verdicts(counts_of(n, a=Made(300, 0.4), b=Made(300, 0.4))) for n in range(200)]
    different = sum(found[0] in ("better", "worse") for found in same)
    assert different <= 0.1 * 200 and same.count(["withheld"]) == 0
    three = Experiment.parse("x=a,b,c")
    made = Made(200, 0.4)
    same = [verdicts(counts_of(n, three, a=made, b=made, c=made)) for n in range(200)]
    assert sum(bool({"better", "worse"} & set(found)) for found in same) <= 0.1 * 200


@pytest.mark.parametrize(("positives", "verdict"), [(0.8, "better"), (0.2, "worse")])
def test_a_planted_difference_is_found(positives: float, verdict: str) -> None:
    found = [verdicts(counts_of(n, a=Made(300, 0.4), b=Made(300, positives))) for n in range(50)]
    assert found.count([verdict]) >= 45


def test_without_a_difference_size_decides_what_can_be_said() -> None:
    few = results_of(counts_of(3, a=Made(100, 1), b=Made(100, 1)))["differences"][0]
    many = results_of(counts_of(1, a=Made(40_000, 1), b=Made(40_000, 1)))["differences"][0]
    assert (few["verdict"], many["verdict"]) == ("underpowered", "no difference")
    least = few["metrics"]["conversion"]["detectable"]
    assert f"{least * 100:.2f} points" in few["said"] and "±" in many["said"]
    counts = counts_of(1, a=Made(100, 1), b=Made(100, 1))
    early = replace(counts, users=counts.users.with_columns(ripe=pl.col("arm") == "a"))
    none = results_of(early)["differences"][0]
    assert none["verdict"] == "underpowered"
    assert none["metrics"]["conversion"] == {
        "difference": None, "ci": None, "any_time": None, "detectable": None}  # fmt: skip


def test_arms_of_wrong_sizes_get_no_verdict() -> None:
    said = results_of(counts_of(1, a=Made(1_200, 0.1), b=Made(1_000, 2)))
    assert said["sample_ratio"]["mismatch"] and said["sample_ratio"]["p"] < 0.001
    assert said["differences"][0]["verdict"] == "withheld"
    assert said["warnings"][0].startswith("SAMPLE RATIO MISMATCH")
    split = Experiment.parse("x=a:0.9,b:0.1")
    assert not results_of(counts_of(1, split, a=Made(900, 1), b=Made(100, 1)))["warnings"]


def test_intervals_of_several_arms_are_wider_and_numbers_are_those_of_the_arms() -> None:
    made = {"a": Made(200, 1, 0.5), "b": Made(210, 1.2, 0.5), "c": Made(190, 1, 0.1)}
    two = results_of(counts_of(1, SPLIT, a=made["a"], b=made["b"]))
    three = results_of(counts_of(1, Experiment.parse("x=a,b,c"), **made))
    widths = []
    for said in (two, three):
        low, high = said["differences"][0]["metrics"]["hit"]["ci"]
        widths.append(high - low)
    assert (two["level"], three["level"]) == (pytest.approx(0.95), pytest.approx(0.975))
    assert widths[0] < widths[1]
    counts = counts_of(1, SPLIT, a=made["a"], b=made["b"]).users
    for place, arm in enumerate("ab"):
        mine = counts.filter(pl.col("arm") == arm)
        metrics = two["arms"][place]["metrics"]
        means = {name: metrics[name]["mean"] for name in METRICS}
        assert means == pytest.approx(
            {
                "conversion": (mine["positives"] > 0).mean(),
                "positives per user": mine["positives"].mean(),
                "hit": (mine["hits"] > 0).mean(),
                "hits per user": mine["hits"].mean(),
            }
        )
    one, other = (METRICS["hits per user"].of(counts.filter(pl.col("arm") == arm)) for arm in "ba")
    pair = two["differences"][0]["metrics"]["hits per user"]
    assert pair["difference"] == pytest.approx(one.mean - other.mean)
    assert pair["detectable"] == pytest.approx(detectable(one, other))
    json.dumps(three, allow_nan=False)


def test_moved_users_count_nowhere_and_shares_follow() -> None:
    """Half of arm a was moved to b: those who stay are compared, as many as are planned."""
    counts = counts_of(1, a=Made(1_000, 1), b=Made(1_000, 1))
    moved = pl.col("user_id").is_in([f"a{n}" for n in range(500)])
    users = counts.users.with_columns(moved=moved, both=pl.col("user_id") == "b0")
    splits = (SPLIT, Experiment.parse("x=a:0.25,b:0.75"))
    said = results_of(Counts(splits, users, {"v1": 1_000, "v2": 1_000}))
    assert said["left_out"] == {"moved": 500, "both": 1}
    assert [(arm["share"], arm["assigned"]) for arm in said["arms"]] == [(0.25, 500), (0.5, 999)]
    assert not said["sample_ratio"]["mismatch"] and len(said["warnings"]) == 3
    renamed = (SPLIT, Experiment.parse("x=c,b"))
    said = results_of(Counts(renamed, counts.users, {"v": 1}))
    assert said["control"] == "c" and [arm["arm"] for arm in said["arms"]] == ["c", "b", "a"]


async def ask_all(service: Service, users: list[str]) -> dict[str, tuple[str, list[str]]]:
    """Arm and items of each user."""
    told = {}
    for start in range(0, len(users), 50):
        some = users[start : start + 50]
        answers = await asyncio.gather(*(service.recommend(user, Wishes(5)) for user in some))
        for user, ranked in zip(some, answers, strict=True):
            assert ranked.assigned is not None and ranked.answer.model == ranked.assigned.arm
            told[user] = (ranked.assigned.arm, [item.item for item in ranked.answer.items])
    return told


def test_from_requests_to_a_verdict(opened: Opened, store: Store) -> None:
    """400 users are served; those of one arm choose what they are shown far more often."""
    draw, users = random.Random(0), [f"new {n}" for n in range(400)]
    store.append([Event(f"first {user}", user, f"i{draw.randrange(1, 9)}", 5) for user in users])
    service = Service(opened, store, LIMITS, Experiment.parse("x=popularity,sasrec"))
    told = asyncio.run(ask_all(service, users))
    service.close()
    chances = {"popularity": 0.2, "sasrec": 0.5}
    with store.database.reading() as connection:
        first = connection.exec_driver_sql("SELECT max(first_time) FROM exposures").scalar_one()
    chosen = [
        Event(f"after {user}", user, draw.choice(items), first / 1e6 + 60)
        for user, (arm, items) in told.items()
        if draw.random() < chances[arm]
    ]
    store.append(chosen)
    later = first / 1e6 + 3_700

    def summary(window: str) -> Any:
        return experiment_summary(store, opened.saved, "x", window, later)

    said = summary("1h")
    assert said["differences"][0]["verdict"] == "better", said
    low, high = said["differences"][0]["metrics"]["hit"]["ci"]
    assert 0.1 < low < 0.3 < high < 0.5 and not said["warnings"]
    assert said["versions"] == {opened.version: 400} and said["window"] == "1 hour"
    for arm in said["arms"]:
        mine = [user for user in users if told[user][0] == arm["arm"]]
        assert arm["assigned"] == arm["exposed"] == arm["users"] == arm["answers"] == len(mine)
        metrics = arm["metrics"]
        assert metrics["hit"] == metrics["conversion"]  # all they chose was shown to them
    early = summary("2h")
    assert [arm["unripe"] for arm in early["arms"]] == [arm["users"] for arm in said["arms"]]
    assert early["differences"][0]["verdict"] == "underpowered"
