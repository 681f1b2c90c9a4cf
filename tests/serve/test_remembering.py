"""What is kept of users in the store changes no answer, and does not outlive who was erased."""

import asyncio
import copy
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker.errors import OutOfResources
from tastemaker.options import RunOptions
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.run.answers import Answer
from tastemaker.run.folder import STATES
from tastemaker.run.job import run_recommender
from tastemaker.run.wishes import Wishes
from tastemaker.serve import remembering
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Asked, Opened
from tastemaker.serve.remembering import Keeper
from tastemaker.serve.service import Service
from tastemaker.serve.states import StoredStates
from tastemaker.serve.store import Store
from tastemaker.train.config import FitConfig
from tests.serve.served import LIMITS

SHAPE = PerSRecConfig(HSTUConfig(dim=8, heads=1, head_dim=8), old=12, recent=4, tokens=2)
TEN = Wishes(10)


@pytest.fixture(scope="module")
def compressing(small_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Opened:
    """A run whose model keeps something of users, opened; nothing asks its own copy for states."""
    out = tmp_path_factory.mktemp("persrec") / "run"
    options = RunOptions(data=str(small_data), out=str(out))
    run_recommender(options, SHAPE, FitConfig(epochs=2, batch=8))
    return Opened.open(out)


def copied(run: Opened) -> Opened:
    """The same run with a model of its own, of the same weights."""
    models = replace(run.saved.models, neural=copy.deepcopy(run.saved.models.neural))
    return replace(run, saved=replace(run.saved, models=models))


def other(run: Opened) -> Opened:
    """The same run with a model of other weights."""
    moved = copied(run)
    with torch.no_grad():
        for weight in moved.saved.models.neural.parameters():  # type: ignore[attr-defined]
            weight.add_(0.1)
    return moved


@pytest.fixture
def service(compressing: Opened, store: Store) -> Iterator[Service]:
    made = Service(copied(compressing), store, LIMITS)
    settled(made)
    yield made
    made.close()


def settled(service: Service) -> None:
    """Wait until the background has nothing left to do."""
    until = time.monotonic() + 60
    while service.states.waiting:
        assert time.monotonic() < until
        time.sleep(0.005)


def keeper_of(service: Service) -> Keeper:
    keeper = service.states._keeper
    assert keeper is not None
    return keeper


def kept_of(service: Service) -> StoredStates:
    return keeper_of(service).states


def asked(service: Service, user: str) -> Answer:
    return asyncio.run(service.recommend(user, TEN, "persrec")).answer


def tell(service: Service, *events: Event) -> None:
    asyncio.run(service.append(events))


def events_of(user: str, *items: str, since: float, tag: str = "") -> list[Event]:
    return [Event(f"{user} {since} {n}{tag}", user, i, since + n) for n, i in enumerate(items)]


def check(service: Service, plain: Opened, user: str) -> None:
    """The answer is that of a run which keeps nothing of anybody."""
    got, (want,) = asked(service, user), plain.rank([Asked(service._told(user), TEN, "persrec")])
    assert isinstance(want, Answer)
    scores = [[one.score for one in answer.items] for answer in (got, want)]
    scale = max(map(abs, scores[1]), default=1.0)
    assert np.allclose(*scores, rtol=0, atol=1e-5 * scale + 1e-6)
    by_item = {one.item: one.score for one in want.items}
    assert all(abs(by_item.get(one.item, one.score) - one.score) <= 1e-4 for one in got.items)


def counted(service: Service) -> dict[str, int]:
    lines = service.monitoring.page().decode().splitlines()
    told = [line for line in lines if line.startswith("tastemaker_states_total")]
    return {line.split('"')[1]: int(float(line.split()[-1])) for line in told}


def known(service: Service, place: int = 0) -> str:
    """A user of the log with old events."""
    lengths = np.diff(service.run.saved.interactions.offsets)
    user = np.flatnonzero(lengths > SHAPE.recent + 1)[place]
    return str(service.run.saved.interactions.user_ids[int(user)])


def test_what_one_request_made_the_next_one_reads(service: Service, compressing: Opened) -> None:
    user = known(service)
    first = asked(service, user)
    settled(service)
    assert counted(service) == {"read": 0, "missing": 1, "refreshed": 1, "dropped": 0}
    assert len(kept_of(service)) == 1
    again = asked(service, user)
    assert [one.item for one in again.items] == [one.item for one in first.items]
    assert counted(service) == {"read": 1, "missing": 1, "refreshed": 1, "dropped": 0}
    check(service, compressing, user)
    folder = compressing.saved.path
    assert not (folder / STATES).exists()  # it is in the store, and the run stays as it was


def test_somebody_whom_the_log_does_not_know_is_kept_too(
    service: Service, compressing: Opened
) -> None:
    few = events_of("new", "i1", "i2", since=100)
    tell(service, *few)
    check(service, compressing, "new")
    settled(service)
    assert len(kept_of(service)) == 0  # no event is old yet
    tell(service, *events_of("new", "i3", "i4", "i5", "i6", since=200))
    check(service, compressing, "new")
    settled(service)
    check(service, compressing, "new")
    assert counted(service)["read"] == 1


def test_who_asked_before_is_brought_up_to_date_in_the_background(
    service: Service, compressing: Opened
) -> None:
    user, quiet = known(service), known(service, 1)
    asked(service, user)
    settled(service)
    tell(service, *events_of(user, "i1", "i2", since=10**9))
    tell(service, *events_of(quiet, "i1", "i2", since=10**9))  # has never asked: not kept
    settled(service)
    assert counted(service)["refreshed"] == 2 and len(kept_of(service)) == 1
    check(service, compressing, user)
    assert counted(service)["read"] == 1
    shown = [replace(one, kind="shown") for one in events_of(user, "i3", since=2 * 10**9)]
    tell(service, *shown)  # nobody's history
    settled(service)
    assert counted(service)["refreshed"] == 2


def test_a_state_of_another_moment_is_not_used(service: Service, compressing: Opened) -> None:
    user = known(service)
    asked(service, user)
    settled(service)
    old = kept_of(service).get(user)
    assert old is not None
    log = service.run.saved.interactions
    code = log.user_codes[user]
    late = float(log.times[int(log.offsets[code])]) + 0.5  # type: ignore[index]
    stories: list[Callable[[], object]] = [
        lambda: tell(service, *events_of(user, "i1", since=10**9)),  # a state that is too old
        lambda: tell(service, *events_of(user, "i2", since=late)),  # a late event of an old time
        lambda: asyncio.run(service.erase(user)),
        lambda: tell(service, *events_of(user, *["i3", "i4"] * 4, since=2 * 10**9)),  # returned
    ]
    for story in stories:
        story()
        settled(service)
        kept_of(service).put({user: old})
        check(service, compressing, user)
        settled(service)
        check(service, compressing, user)
    assert counted(service)["read"] > 0


def test_whatever_happens_answers_are_those_without_states(
    compressing: Opened, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    with Store.open(tmp_path / "any.sqlite") as store:
        service = Service(copied(compressing), store, LIMITS)
        users = [known(service), known(service, 1), "stranger"]
        for step in range(60):
            user = users[int(rng.integers(3))]
            what = rng.integers(10)
            if what < 4:
                since = float(rng.integers(1, 3 * 10**9))
                items = [f"i{n}" for n in rng.integers(1, 20, rng.integers(1, 5))]
                tell(service, *events_of(user, *items, since=since, tag=f" {step}"))
            elif what == 4:
                asyncio.run(service.erase(user))
            if rng.integers(2):
                settled(service)
            check(service, compressing, user)
        settled(service)
        assert min(counted(service)[fate] for fate in ("read", "missing", "refreshed")) > 3
        service.close()


def test_requests_of_many_are_read_together(service: Service, compressing: Opened) -> None:
    users = [known(service, place) for place in range(6)] + ["nobody", known(service)]

    async def all_at_once() -> list[Answer]:
        every = [service.recommend(user, TEN, "persrec") for user in users]
        return [ranked.answer for ranked in await asyncio.gather(*every)]

    first = asyncio.run(all_at_once())
    settled(service)
    for one, again in zip(first, asyncio.run(all_at_once()), strict=True):
        assert [x.item for x in one.items] == [x.item for x in again.items]
    assert counted(service)["read"] >= 6 and len(kept_of(service)) == 6
    check(service, compressing, users[3])


class Held:
    """Stops a refresh where it has read what it needs, until it is let go."""

    def __init__(self, service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reached, self.go = threading.Event(), threading.Event()
        states = kept_of(service)
        keep = states.keep

        def slow(*given: Any) -> bool:
            self.reached.set()
            assert self.go.wait(60)
            return keep(*given)

        monkeypatch.setattr(states, "keep", slow)


def test_a_refresh_in_flight_does_not_bring_back_who_was_erased(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    held, user = Held(service, monkeypatch), known(service)
    asked(service, user)
    assert held.reached.wait(60)
    erased = asyncio.run(service.erase(user))
    assert erased.states == 0  # nothing had been kept yet
    held.go.set()
    settled(service)
    assert len(kept_of(service)) == 0 and counted(service)["refreshed"] == 0


def test_neither_do_others_in_the_line_nor_what_was_kept(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    user, before = known(service), known(service, 1)
    asked(service, user)
    settled(service)
    held = Held(service, monkeypatch)
    asked(service, before)
    assert held.reached.wait(60)
    tell(service, *events_of(user, "i1", since=10**9))  # waits in the line
    assert asyncio.run(service.erase(user)).states == 1
    held.go.set()
    settled(service)
    assert kept_of(service).get(user) is None and kept_of(service).get(before) is not None
    asked(service, user)
    tell(service, *events_of(user, *["i3"] * 8, since=3 * 10**9))
    asked(service, user)  # what they do later is kept
    settled(service)
    assert kept_of(service).get(user) is not None


def test_a_full_line_lets_go_of_more_and_its_end_waits_for_none(
    service: Service, compressing: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "LINE", 2)
    held = Held(service, monkeypatch)
    for place in range(5):
        asked(service, known(service, place))
        assert held.reached.wait(60)
    assert service.states.waiting == 3 and counted(service)["dropped"] == 2
    asked(service, known(service, 1))  # has a place already
    assert service.states.waiting == 3 and counted(service)["dropped"] == 2
    check(service, compressing, known(service, 4))
    threading.Timer(0.1, held.go.set).start()
    service.states.close()
    assert service.states.waiting == 0
    check(service, compressing, known(service, 4))


def test_another_run_has_the_states_of_the_one_before_removed(
    service: Service, compressing: Opened, opened: Opened
) -> None:
    user = known(service)
    asked(service, user)
    settled(service)
    old, moved = kept_of(service), other(compressing)
    service.run = service.states.serve(copied(moved))
    check(service, moved, user)  # whatever was kept before
    settled(service)
    assert len(old) == 0 and len(kept_of(service)) == 1
    check(service, moved, user)
    fresh = kept_of(service)
    service.run = service.states.serve(opened)  # whose model keeps nothing
    settled(service)
    assert len(fresh) == 0 and service.states.read(user) is None
    asyncio.run(service.recommend(user, TEN))


def test_states_that_cannot_be_kept_are_not_missed(
    service: Service, compressing: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = known(service)
    with monkeypatch.context() as full:

        def refused(*_: object) -> bool:
            raise OutOfResources("The disk is full.", "the store", "Make room.")

        full.setattr(kept_of(service), "keep", refused)
        check(service, compressing, user)
        settled(service)
    assert len(kept_of(service)) == 0
    check(service, compressing, user)
    settled(service)
    assert len(kept_of(service)) == 1  # the thread lives


def test_a_busy_model_is_waited_for_but_not_for_ever(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "_PATIENCE", 0.05)
    monkeypatch.setattr(service.states, "_busy", lambda: True)
    user = known(service)
    asked(service, user)
    settled(service)
    tell(service, *events_of(user, "i1", since=10**9))
    settled(service)
    assert counted(service)["refreshed"] == 2


def test_a_run_that_keeps_nothing_has_no_thread_for_it(opened: Opened, kept: Store) -> None:
    plain = Service(opened, kept, LIMITS)
    assert plain.run is opened and plain.states.read("u1") is None
    plain.states.told(["u1"])
    assert plain.states.waiting == 0
    plain.close()
    assert counted(plain) == {}
