"""Checkers: what hangs, dies or raises is not equal, the others are told, and nothing is left."""

import math
import subprocess
import sys
import time

import pytest

from tastemaker.errors import BadInput, OutOfResources
from tastemaker.reinforce import checkers
from tastemaker.reinforce.checkers import Checkers, Limits
from tests.reinforce.test_checker_process import needs_library
from tests.reinforce.test_killable import gone

PROGRAM = "tests.reinforce.scripted_checker"
QUICK = Limits(cpu=0.2, wall=30.0)
LEFT_OPEN = """
from tastemaker.reinforce.checkers import Checkers, Limits
checkers = Checkers(Limits(processes=2), "tests.reinforce.scripted_checker")
assert checkers.equal([("a", "A"), ("a", "b")]) == [True, False]
print(*[one.running.number for one in checkers._processes], flush=True)
"""


def test_pairs_are_answered_in_order_however_many() -> None:
    pairs = [(f"a{n}", f"A{n + n % 3 % 2}") for n in range(500)] + [("a", "A"), ("a", "A")]
    with Checkers(Limits(processes=2, wall=60), PROGRAM) as some:
        assert some.equal(pairs) == [n % 3 != 1 for n in range(500)] + [True, True]
        assert some.equal([]) == []
        assert some.killed == 0


@pytest.mark.parametrize("bad", ["loop", "die"])
def test_one_that_hangs_or_dies_does_not_stop_the_others(bad: str) -> None:
    pairs = [(f"a{n}", f"A{n}") for n in range(100)]
    pairs[7:7] = [("a", bad)]
    with Checkers(QUICK, PROGRAM) as some:
        told = some.equal(pairs)
        assert told == [place != 7 for place in range(101)]
        assert 1 <= some.killed <= 2
        assert some.equal([("a", "A")]) == [True]


def test_one_that_sleeps_is_killed_too() -> None:
    with Checkers(Limits(cpu=60.0, wall=1.0), PROGRAM) as some:
        assert some.equal([("a", "sleep")]) == [False]
        assert some.killed >= 1


def test_a_hostile_text_costs_two_processes_whatever_it_is_compared_with() -> None:
    with Checkers(QUICK, PROGRAM) as some:
        pairs = [(f"a{n}", "loop") for n in range(40)] + [(f"a{n}", f"A{n}") for n in range(40)]
        assert some.equal(pairs) == [False] * 40 + [True] * 40
        assert some.killed <= 2
        assert some.equal([("b", "loop")]) == [False]
        assert some.killed <= 2


def test_what_raises_or_wants_all_memory_is_not_equal_and_ends_nothing() -> None:
    with Checkers(Limits(wall=60), PROGRAM) as some:
        assert some.equal([("a", "raise"), ("a", "memory"), ("a", "A")]) == [False, False, True]
        assert some.killed == 0


def test_texts_may_hold_anything() -> None:
    hostile = ["\x00", "\n", "\ud800", "😀" * 256, "\u2028", '"]', "{" * 256]
    with Checkers(Limits(processes=1, wall=60), PROGRAM) as some:
        assert some.equal([(text, text) for text in hostile]) == [True] * len(hostile)


def test_a_process_that_ended_while_idle_costs_no_pair() -> None:
    with Checkers(Limits(wall=60), PROGRAM) as some:
        assert some.equal([("a", "A")]) == [True]
        some._processes[0].running.kill()
        assert some.equal([("a", "A"), ("b", "B")]) == [True, True]
        assert some.killed == 0


def test_processes_end_with_the_context_and_with_the_interpreter() -> None:
    with Checkers(Limits(wall=60), PROGRAM) as some:
        some.equal([("a", "A")])
        number = some._processes[0].running.number
    assert gone(number)
    done = subprocess.run([sys.executable, "-c", LEFT_OPEN], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    numbers = [int(text) for text in done.stdout.split()]
    assert len(numbers) >= 1
    assert all(map(gone, numbers))


def test_processes_that_never_start_are_told() -> None:
    with Checkers(QUICK, "tests.reinforce.no_such_program") as some:
        begun = time.monotonic()
        with pytest.raises(OutOfResources):
            some.equal([("a", "b")])
        assert time.monotonic() - begun < 100


@pytest.mark.parametrize("wrong", [{"processes": 0}, {"cpu": 0.0}, {"wall": math.inf}])
def test_limits_that_bound_nothing_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        Limits(**wrong)  # type: ignore[arg-type]


def test_a_missing_library_is_named_before_anything_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkers, "find_spec", lambda name: None)
    with pytest.raises(BadInput) as refused:
        Checkers()
    assert "tastemaker[rl]" in refused.value.fix


@needs_library
def test_a_tower_of_powers_hangs_alone() -> None:
    tower = r"9^{9^{9^9}}"
    pairs = [("x+1", "1+x"), ("2", tower), (tower, "3"), (r"\frac{x}{2}", "0.5x"), ("x", "9**9**9")]
    with Checkers(Limits(cpu=1.0, wall=60.0)) as some:
        assert some.equal(pairs) == [True, False, False, True, False]
        assert 1 <= some.killed <= 2
