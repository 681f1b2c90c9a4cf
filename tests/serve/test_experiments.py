"""Users are split by a hash alone: the same everywhere, evenly, and without a pattern."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.metrics.unpaired import sample_ratio
from tastemaker.serve.experiments import Experiment, place_of, settled, settled_shares

MANY = [f"user-{n}" for n in range(100_000)]


def test_an_experiment_is_written_in_a_word() -> None:
    assert Experiment.parse("new=a,b").arms == (("a", 0.5), ("b", 0.5))
    told = Experiment.parse("a=b ü = markov-last-5:0.9, ease:0.1")
    assert (told.name, told.arms) == ("a=b ü", (("markov-last-5", 0.9), ("ease", 0.1)))
    assert Experiment.of_text(told.name, told.text) == told
    thirds = Experiment.parse("x=a,b,c")
    assert Experiment.of_text("x", thirds.text) == thirds and thirds.arm_at(1 - 2**-53) == "c"


@pytest.mark.parametrize(
    "text",
    ["", "x", "x=", "=a,b", "x=a", "x=a,a", "x=a,", "x=a:0.5,b", "x=a:0.5,b:0.6", "x=a:1,b:0",
     "x=a:-0.5,b:1.5", "x=a:nan,b:0.5", "x=a:half,b:0.5", "x\ny=a,b"],
)  # fmt: skip
def test_what_splits_nobody_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as caught:
        Experiment.parse(text)
    assert caught.value.where == "--experiment" and caught.value.fix


@pytest.mark.parametrize("text", ["", "{}", "[1]", '[["a"]]', '[["a",0.5],["b",0.4]]', "7"])
def test_arms_that_the_store_cannot_have_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        Experiment.of_text("x", text)


def test_arms_are_models_of_the_run() -> None:
    Experiment.parse("x=a,b").check(["a", "b", "c"])
    with pytest.raises(BadInput) as caught:
        Experiment.parse("x=a,d").check(["a", "b"])
    assert "'d'" in caught.value.what and "a, b" in caught.value.fix


def test_a_user_has_one_arm_in_every_process() -> None:
    experiment = Experiment.parse("x=a,b,c")
    users = [*MANY[:50], "ü 猫", "a/b", " "]
    code = (
        "import sys; from tastemaker.serve.experiments import Experiment\n"
        "told = Experiment.parse('x=a,b,c')\n"
        "print(*(told.assigned(user).arm for user in sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, *users]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.split() == [experiment.assigned(user).arm for user in users]
    first = int.from_bytes(hashlib.sha256(b"x\0user-0").digest()[:8]) / 2**64
    assert place_of("x", "user-0") == pytest.approx(first, abs=1e-15)


def test_users_lie_evenly_and_apart_for_each_name() -> None:
    places = np.array([[place_of(name, user) for user in MANY] for name in ("x", "y")])
    assert places.min() >= 0 and places.max() < 1
    for row in places:
        counts = np.histogram(row, bins=50, range=(0, 1))[0]
        assert sample_ratio(counts, [1] * 50) > 0.001
    assert abs(np.corrcoef(places)[0, 1]) < 0.01
    both = np.histogram2d(*places, bins=5, range=[(0, 1), (0, 1)])[0].ravel()
    assert sample_ratio(both, [1] * 25) > 0.001


def test_shares_are_met() -> None:
    experiment = Experiment.parse("x=a:0.9,b:0.07,c:0.03")
    arms = [experiment.assigned(user).arm for user in MANY]
    assert sample_ratio([arms.count(arm) for arm in "abc"], [0.9, 0.07, 0.03]) > 0.001


@pytest.mark.parametrize(("before", "after"), [(0.1, 0.2), (0.5, 0.9), (0.1, 0.10001)])
def test_an_arm_that_grows_loses_nobody(before: float, after: float) -> None:
    small = Experiment("x", (("a", 1 - before), ("b", before)))
    large = Experiment("x", (("a", 1 - after), ("b", after)))
    moves = {(small.assigned(user).arm, large.assigned(user).arm) for user in MANY[:20_000]}
    assert ("b", "a") not in moves and {("a", "a"), ("b", "b")} <= moves


def test_who_was_moved_by_a_change_is_known_by_the_hash_alone() -> None:
    splits = [Experiment.parse(f"x=a:{1 - share},b:{share}") for share in (0.1, 0.25)]
    shares = settled_shares(splits)
    assert shares == pytest.approx({"a": 0.75, "b": 0.1})
    places = [place_of("x", user) for user in MANY]
    counts = {arm: sum(settled(splits, place) == arm for place in places) for arm in "ab"}
    moved = len(MANY) - sum(counts.values())
    assert sample_ratio([*counts.values(), moved], [0.75, 0.1, 0.15]) > 0.001
    other = settled_shares([splits[0], Experiment.parse("x=c,b")])
    assert other == pytest.approx({"a": 0.0, "b": 0.1, "c": 0.0})
