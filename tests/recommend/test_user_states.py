"""States of users in one file: exact, whole or not at all, refused when of others, erased."""

import multiprocessing
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from tastemaker.errors import ArtefactError, OutOfResources
from tastemaker.recommend.user_states import (
    Precision,
    UserState,
    UserStates,
    prefix_of,
    weights_sha256,
)

IDENTITY = {"model": "a" * 64, "layout": {"old": 3, "tokens": 2}}


@pytest.fixture
def states(tmp_path: Path) -> Iterator[UserStates]:
    opened = UserStates.open(tmp_path / "states", IDENTITY, "float32")
    yield opened
    opened.close()


def state(seed: int = 0, times: bool = True) -> UserState:
    numbers = torch.from_numpy(np.random.default_rng(seed).normal(size=40)).float()
    return UserState(3, 99, torch.tensor([50, 99]) if times else None, b"x" * 32, numbers)


def same(one: UserState | None, other: UserState) -> bool:
    if one is None or (one.times is None) != (other.times is None):
        return False
    times = one.times is None or other.times is None or torch.equal(one.times, other.times)
    plain = (one.end, one.end_time, one.prefix) == (other.end, other.end_time, other.prefix)
    return bool(times and plain and torch.equal(one.numbers, other.numbers))


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_what_is_put_is_what_is_got_bit_for_bit(precision: Precision, tmp_path: Path) -> None:
    path = tmp_path / "states"
    kept = {"ann": state(0), "Zoë '); DROP TABLE states; --": state(1, times=False)}
    if precision == "bfloat16":
        kept = {user: replace(one, numbers=one.numbers.bfloat16()) for user, one in kept.items()}
    opened = UserStates.open(path, IDENTITY, precision)
    opened.put(kept)
    opened.close()
    again = UserStates.open(path, IDENTITY, precision)
    assert len(again) == 2 and again.get("bob") is None
    assert all(same(again.get(user), one) for user, one in kept.items())
    again.put({"ann": state(5)})
    assert len(again) == 2
    again.close()


@pytest.mark.parametrize(
    ("identity", "precision"),
    [
        ({**IDENTITY, "model": "b" * 64}, "float32"),
        ({**IDENTITY, "layout": {"old": 3, "tokens": 4}}, "float32"),
        ({**IDENTITY, "more": 1}, "float32"),
        ({"model": "a" * 64}, "float32"),
        (IDENTITY, "bfloat16"),
    ],
)
def test_a_file_of_something_else_is_refused(
    states: UserStates, identity: dict[str, object], precision: Precision
) -> None:
    with pytest.raises(ArtefactError, match="another"):
        UserStates.open(states.path, identity, precision)
    assert len(states) == 0


def test_a_damaged_state_is_not_there(states: UserStates) -> None:
    states.put({"ann": state(), "bob": state(1)})
    link = sqlite3.connect(states.path)
    (raw,) = link.execute("SELECT numbers FROM states WHERE user = 'ann'").fetchone()
    flipped = bytes([raw[0] ^ 1]) + raw[1:]
    link.execute("UPDATE states SET numbers = ? WHERE user = 'ann'", (flipped,))
    link.commit()
    link.close()
    assert states.get("ann") is None and same(states.get("bob"), state(1))


def test_what_is_no_such_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "states"
    path.write_bytes(b"not a database, whatever it is called" * 50)
    with pytest.raises(ArtefactError, match="cannot be read"):
        UserStates.open(path, IDENTITY, "float32")
    with pytest.raises(OutOfResources):
        UserStates.open(tmp_path / "no folder" / "states", IDENTITY, "float32")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_place_that_is_not_ours_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutOfResources):
        UserStates.open(tmp_path / "states", IDENTITY, "float32")


def test_the_erased_are_gone_from_the_disk_too(states: UserStates) -> None:
    states.put({f"user {number}": state(number) for number in range(50)})
    secret = state(7).numbers.numpy().tobytes()
    assert states.erase(["user 7", "nobody"]) == 1
    assert states.get("user 7") is None and len(states) == 49
    for path in states.path.parent.iterdir():
        assert secret not in path.read_bytes()


def _write(path: Path, first: int) -> None:
    opened = UserStates.open(path, IDENTITY, "float32")
    for number in range(first, first + 20):
        opened.put({f"user {number}": state(number)})
    opened.close()


def test_several_processes_write_at_once(tmp_path: Path) -> None:
    path, context = tmp_path / "states", multiprocessing.get_context("spawn")
    workers = [context.Process(target=_write, args=(path, 20 * n)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(120)
    assert [worker.exitcode for worker in workers] == [0, 0]
    opened = UserStates.open(path, IDENTITY, "float32")
    assert len(opened) == 40
    assert all(same(opened.get(f"user {n}"), state(n)) for n in range(40))
    opened.close()


def test_hashes_are_of_what_they_say() -> None:
    items = np.array([3, 1, 2], np.int32)
    assert prefix_of(items, 2) == prefix_of(np.array([3, 1, 9], np.int32), 2)
    assert prefix_of(items, 3) != prefix_of(items, 2) != prefix_of(items[::-1].copy(), 2)
    torch.manual_seed(0)
    one, other = nn.Linear(3, 2), nn.Linear(3, 2)
    assert weights_sha256(one) != weights_sha256(other)
    other.load_state_dict(one.state_dict())
    assert weights_sha256(one) == weights_sha256(other)
