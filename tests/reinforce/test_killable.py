"""A process that can be killed: heard to its end, gone when killed, and with what started it."""

import os
import queue
import subprocess
import sys
import time

from tastemaker.reinforce.killable import Killable

PROGRAM = "tests.reinforce.scripted_checker"
ORPHANING = """
import queue, os, signal, sys
from tastemaker.reinforce.killable import Killable
said = queue.SimpleQueue()
running = Killable("tests.reinforce.scripted_checker", ("60", "60"), said)
said.get()
print(running.number, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def gone(number: int) -> bool:
    for _ in range(300):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


def test_it_is_heard_to_its_end() -> None:
    said: queue.SimpleQueue[tuple[Killable, str]] = queue.SimpleQueue()
    running = Killable(PROGRAM, ("5", "60"), said)
    running.write('[["a", "A"], ["a", "die"]]')
    assert [said.get(timeout=120) for _ in range(3)] == [
        (running, "ready\n"),
        (running, "1\n"),
        (running, ""),
    ]
    assert running.kill() == 3
    assert running.ended
    running.write("[]")  # nobody is there, and it makes no odds


def test_it_is_killed_at_work() -> None:
    said: queue.SimpleQueue[tuple[Killable, str]] = queue.SimpleQueue()
    running = Killable(PROGRAM, ("60", "60"), said)
    running.write('[["a", "sleep"]]')
    assert said.get(timeout=120)[1] == "ready\n"
    assert not running.ended
    assert running.kill() < 0
    assert gone(running.number)


def test_it_ends_when_what_started_it_is_killed() -> None:
    program = [sys.executable, "-c", ORPHANING]
    done = subprocess.run(program, capture_output=True, text=True)
    assert gone(int(done.stdout))
