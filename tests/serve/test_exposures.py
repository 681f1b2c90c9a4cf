"""The exposure log: every answer is written once, soon, and never at a request's cost."""

import threading
import time
from collections.abc import Iterator

import pytest

from tastemaker.errors import Unavailable
from tastemaker.run.answers import Answer, Chosen, Recommendation
from tastemaker.serve import exposures as log_file
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposures import ITEMS, ExposureLog
from tastemaker.serve.monitoring import Monitoring
from tastemaker.serve.store import Store
from tests.serve.test_exposure_rows import rows

SPLIT = Experiment.parse("x=a,b")


def answer_of(model: str, items: int = 3, known: bool = True) -> Answer:
    listed = tuple(Recommendation(f"i{n}", "", 0.5, ()) for n in range(items))
    history = (Chosen("h", ""),) if known else ()
    return Answer("", known, model, "", history, listed, True)


def note(log: ExposureLog, user: str, items: int = 3, known: bool = True) -> None:
    assigned = SPLIT.assigned(user)
    model = assigned.arm if known else "popularity"
    log.note(assigned, user, answer_of(model, items, known), "v", time.time())


@pytest.fixture
def monitoring() -> Monitoring:
    return Monitoring(lambda: 0)


@pytest.fixture
def log(kept: Store, monitoring: Monitoring) -> Iterator[ExposureLog]:
    made = ExposureLog(SPLIT, kept.database, monitoring)
    yield made
    made.close()


def count(monitoring: Monitoring, fate: str) -> float:
    value = monitoring.registry.get_sample_value("tastemaker_exposures_total", {"fate": fate})
    return value or 0


def until(done: object) -> None:
    assert callable(done)
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_what_was_noted_is_written_within_a_second(log: ExposureLog, kept: Store) -> None:
    began = time.monotonic()
    note(log, "u", ITEMS + 5)
    note(log, "w", known=False)
    until(lambda: rows(kept, "exposures", "user_id"))
    assert time.monotonic() - began < log_file.EVERY + 30
    told = rows(kept, "exposures", "user_id, arm, known, model, version, answers")
    arms = {user: SPLIT.assigned(user).arm for user in "uw"}
    assert told == {
        ("u", arms["u"], 1, arms["u"], "v", 1),
        ("w", arms["w"], 0, "popularity", "v", 1),
    }
    assert len(rows(kept, "shown_items", "item_id")) == ITEMS


def test_many_answers_do_not_wait_for_the_second(
    kept: Store, monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "EVERY", 600)
    monkeypatch.setattr(log_file, "TOGETHER", 7)
    log = ExposureLog(SPLIT, kept.database, monitoring)
    for number in range(7):
        note(log, f"u{number}")
    until(lambda: len(rows(kept, "exposures", "user_id")) == 7)
    note(log, "last")
    log.close()
    assert len(rows(kept, "exposures", "user_id")) == 8 and count(monitoring, "kept") == 8


def test_answers_wait_while_the_database_is_away_up_to_a_bound(
    log: ExposureLog, kept: Store, monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, away = log_file.write_exposures, threading.Event()

    def unsteady(*words: object) -> tuple[int, int]:
        if away.is_set():
            raise Unavailable("away", "", "")
        return write(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(log_file, "write_exposures", unsteady)
    monkeypatch.setattr(log_file, "MOST", 5)
    away.set()
    for number in range(8):
        note(log, f"u{number}")
    assert not log.flush() and not rows(kept, "exposures", "user_id")
    away.clear()
    assert log.flush()
    assert rows(kept, "exposures", "user_id") == {(f"u{number}",) for number in range(5)}
    assert (count(monitoring, "kept"), count(monitoring, "lost")) == (5, 3)


def test_what_cannot_be_written_does_not_stand_in_the_way(
    log: ExposureLog, kept: Store, monitoring: Monitoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*words: object) -> tuple[int, int]:
        raise ValueError

    with monkeypatch.context() as patch:
        patch.setattr(log_file, "write_exposures", broken)
        note(log, "u")
        assert not log.flush() and count(monitoring, "lost") == 1
    note(log, "w")
    assert log.flush() and rows(kept, "exposures", "user_id") == {("w",)}


def test_who_is_erased_while_an_answer_waits_is_not_written(
    log: ExposureLog, kept: Store, monitoring: Monitoring
) -> None:
    note(log, "u")
    note(log, "w")
    kept.erase("u")
    log.flush()
    assert rows(kept, "exposures", "user_id") == {("w",)} == rows(kept, "shown_items", "user_id")
    assert count(monitoring, "erased") == 1


def test_noting_costs_a_request_next_to_nothing(
    log: ExposureLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """30 µs are the budget, the user's arm counted in; half of it here, for ten items."""
    monkeypatch.setattr(log_file, "TOGETHER", 10**9)
    told, best = answer_of("a", 10), 1.0
    for _ in range(5):
        began = time.thread_time()
        for number in range(2_000):
            log.note(SPLIT.assigned(f"user-{number}"), f"user-{number}", told, "v", 5.0)
        best = min(best, (time.thread_time() - began) / 2_000)
    assert best < 15e-6
