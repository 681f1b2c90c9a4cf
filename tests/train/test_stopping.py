"""SIGTERM and Ctrl-C: heard in the main thread, in order, once; and the way on is named."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tastemaker.train.stopping import SIGNALS, Interrupt, Stopped, going_on, listening

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", SIGNALS)
def test_work_is_left_at_once_and_the_handlers_are_given_back(number: signal.Signals) -> None:
    before = [signal.getsignal(each) for each in SIGNALS]
    with pytest.raises(Stopped) as caught, listening("runs/a"):
        try:
            signal.raise_signal(number)
        except Exception:
            raise AssertionError("no `except Exception` holds it up") from None
    assert caught.value.exit_code == 128 + number
    assert caught.value.out == "runs/a"
    assert number.name in caught.value.what
    assert [signal.getsignal(each) for each in SIGNALS] == before


def test_patient_work_ends_first() -> None:
    steps = []
    with pytest.raises(Stopped), listening() as listener:
        with listener.patient():
            signal.raise_signal(signal.SIGTERM)
            steps.append(listener.asked)
        steps.append("not reached")
    assert steps == [signal.SIGTERM]


def test_a_part_of_patient_work_may_be_interrupted() -> None:
    with listening() as listener, listener.patient():
        with pytest.raises(Interrupt), listener.patient(False):
            signal.raise_signal(signal.SIGTERM)
            raise AssertionError("not reached")
        assert listener.asked == signal.SIGTERM
        listener.asked = 0


def test_one_that_came_before_interrupts_the_part_that_begins() -> None:
    with pytest.raises(Stopped), listening() as listener, listener.patient():
        signal.raise_signal(signal.SIGTERM)
        with listener.patient(False):
            raise AssertionError("not reached")


def test_the_innermost_work_is_named_last_by_the_outermost() -> None:
    with (
        pytest.raises(Stopped) as caught,
        listening("search") as outer,
        listening("trial") as inner,
    ):
        assert inner is outer
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.out == "search"
    with pytest.raises(Stopped) as caught, listening(), listening("run"):
        signal.raise_signal(signal.SIGTERM)
    assert caught.value.out == "run"


def test_an_interrupt_that_was_lost_is_not_forgotten() -> None:
    """As within a destructor, whose exceptions the interpreter only prints."""
    with pytest.raises(Stopped), listening(), contextlib.suppress(Interrupt):
        signal.raise_signal(signal.SIGTERM)


def test_signals_that_come_together_are_one_request() -> None:
    with pytest.raises(Stopped), listening() as listener, listener.patient():
        for _ in range(3):
            signal.raise_signal(signal.SIGTERM)
            signal.raise_signal(signal.SIGINT)


def test_what_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with listening() as listener:
        signal.raise_signal(signal.SIGINT)
        assert not listener.asked


def test_another_thread_hears_nothing_and_works() -> None:
    heard = []

    def work() -> None:
        with listening("a") as listener, listener.patient():
            heard.append(listener.asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert heard == [0]


@pytest.mark.parametrize(
    ("words", "out", "line"),
    [
        ("tastemaker run", "", "tastemaker run"),
        ("tastemaker run --seed 3", "runs/a", "tastemaker run --seed 3 --out runs/a --resume"),
        ("tastemaker run --out b", "b", "tastemaker run --out b --resume"),
        ("tastemaker run --out=b --resume", "b", "tastemaker run --out=b --resume"),
        ("tastemaker tune hstu", "my runs/a", "tastemaker tune hstu --out 'my runs/a' --resume"),
    ],
)
def test_the_command_that_goes_on(words: str, out: str, line: str) -> None:
    assert going_on(words.split(), out) == line


def test_whoever_is_stopped_is_told_how_to_go_on() -> None:
    words = ["tastemaker", "run", "--seed", "3"]
    told = Stopped(signal.SIGINT, "runs/a").told(words)
    assert (told.exit_code, told.out) == (130, "runs/a")
    assert going_on(words, "runs/a") in told.fix
    from_python = Stopped(signal.SIGTERM, "runs/a")
    assert "'runs/a'" in from_python.fix and "tastemaker run" not in from_python.fix
    fixes = {told.fix, from_python.fix, Stopped(signal.SIGTERM).fix}
    assert len(fixes) == 3 and "resume" not in Stopped(signal.SIGTERM).fix


def test_a_second_signal_ends_the_process_at_once() -> None:
    script = """
import signal, time
from tastemaker.train.stopping import listening
with listening() as listener, listener.patient():
    print("in", flush=True)
    while True:
        time.sleep(0.05)
"""
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", script]
    child = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "in\n"
        child.terminate()
        time.sleep(0.3)
        assert child.poll() is None
        time.sleep(1)
        child.terminate()
        assert child.wait(120) == -signal.SIGTERM
    finally:
        child.kill()
        child.communicate()
