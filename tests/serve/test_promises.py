"""What the store promises, whatever is done to it in whatever order, by however many at once."""

import multiprocessing
import resource
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tastemaker.data.declaration import Declaration
from tastemaker.data.interactions import Interactions
from tastemaker.errors import OutOfResources, Unavailable
from tastemaker.serve.dump import dump
from tastemaker.serve.events import SHOWN, Event
from tastemaker.serve.restore import restore
from tastemaker.serve.store import Store

USERS, IDS = ("ann", "bob", "é'🙂"), tuple(f"e{n}" for n in range(12))
KINDS = Declaration(events={"view": "implicit_positive", "skip": "implicit_negative"})

told_events = st.builds(
    Event,
    event_id=st.sampled_from(IDS),
    user_id=st.sampled_from(USERS),
    item_id=st.sampled_from(("i1", "i2", "i3")),
    time=st.integers(0, 40).map(lambda quarter: quarter / 4),
    kind=st.sampled_from(("", "view", "skip", SHOWN)),
)
done_things = st.lists(
    st.one_of(
        st.lists(told_events, max_size=6),
        st.sampled_from(USERS),
        st.tuples(st.sampled_from(("i1", "i2")), st.none() | st.integers(0, 9)),
    ),
    max_size=10,
)


class Plain:
    """The store as a few lines of Python."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.hidden: dict[str, float | None] = {}
        self.erased: set[str] = set()

    def append(self, batch: list[Event]) -> tuple[int, int, int]:
        counts = [0, 0, 0]
        for one in batch:
            there = any(other.event_id == one.event_id for other in self.events)
            # Whoever was erased was so just now: events of these tests are of 1970.
            place = 2 if one.user_id in self.erased else 1 if there else 0
            counts[place] += 1
            if not place:
                self.events.append(one)
        return counts[0], counts[1], counts[2]

    def history(self, user: str, newest: int) -> list[Event]:
        mine = [one for one in self.events if one.user_id == user and one.kind != SHOWN]
        ordered = sorted(mine, key=lambda one: one.time)
        return ordered[max(0, len(ordered) - newest) :]


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(done=done_things)
def test_a_store_is_what_a_list_and_two_dictionaries_are(
    done: list[Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    plain, folder = Plain(), tmp_path_factory.mktemp("store")
    with Store.open(folder / "a") as store, Store.open(folder / "b") as copy:
        for thing in done:
            if isinstance(thing, list):
                counts = store.append(thing)
                assert (counts.new, counts.duplicate, counts.erased) == plain.append(thing)
            elif isinstance(thing, str):
                store.erase(thing)
                plain.events = [one for one in plain.events if one.user_id != thing]
                plain.erased.add(thing)
            else:
                store.hide(*thing)
                plain.hidden[thing[0]] = thing[1]
        dump(store.database, folder / "dump")
        restore(copy.database, folder / "dump")
        for one in (store, copy):
            assert len(one) == len(plain.events)
            for user in USERS:
                assert one.history(user, 3) == plain.history(user, 3)
            for now in (0, 5):
                want = {i for i, until in plain.hidden.items() if until is None or until > now}
                assert one.hidden(now) == want
            assert one.erased(USERS).keys() == plain.erased
            same_log(one, [event for event in plain.events if event.kind != SHOWN])


def same_log(store: Store, want: list[Event]) -> None:
    """What the store hands out to learn from is what the same rows in a table are."""
    got = store.interactions(KINDS).interactions
    if not want:
        assert got is None
        return
    columns = {
        "user_id": [one.user_id for one in want],
        "item_id": [one.item_id for one in want],
        "timestamp": [round(one.time * 4) for one in want],
    }
    table = Interactions.from_frame(pl.DataFrame(columns))
    assert got is not None and got.num_events == len(want)
    for user in {one.user_id for one in want}:
        codes = [log.decode(log.history(log.user_codes[user])) for log in (got, table)]
        assert codes[0] == codes[1]


def writes(url: str, name: str, batches: int) -> None:
    with Store.open(url) as store:
        for batch in range(batches):
            told = [Event(f"{name}-{batch}-{n}", f"u{n}", "i", batch) for n in range(10)]
            # The last of every batch is told by everybody.
            assert store.append([*told, Event(f"all-{batch}", "u0", "i", 1)]).new >= 10


def test_processes_write_at_the_same_time_and_each_event_is_there_once(url: str) -> None:
    Store.open(url).close()
    new = multiprocessing.get_context("spawn")
    writers = [new.Process(target=writes, args=(url, str(n), 4)) for n in range(2)]
    for writer in writers:
        writer.start()
    with Store.open(url) as store:
        while any(writer.is_alive() for writer in writers):
            assert len(store) % 10 <= 4  # whole batches, and what they have in common
        for writer in writers:
            writer.join()
            assert writer.exitcode == 0
        assert len(store) == 2 * 4 * 10 + 4


def test_who_reads_on_while_others_write_misses_nothing(url: str) -> None:
    """Numbers become visible in their order, though several connections write."""
    stores = [Store.open(url) for _ in range(4)]

    def write(which: int) -> None:
        for n in range(12):
            stores[which].append([Event(f"{which}-{n}", f"u{which}", f"i{n}", n)])

    threads = [threading.Thread(target=write, args=(which,)) for which in range(3)]
    for thread in threads:
        thread.start()
    met, last, writing = 0, 0, True
    while writing:
        writing = any(thread.is_alive() for thread in threads)  # asked before the last look
        read = stores[3].interactions(Declaration(), last)
        last = read.last
        met += 0 if read.interactions is None else read.interactions.num_events
    assert met == 36
    for store in stores:
        store.close()


def fills(path: str, told: Any) -> None:
    """Write until the system takes no more bytes into a file, then with room again."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    most, kept = 400_000, 0
    with Store.open(path) as store:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))
        try:
            while True:
                batch = [Event(f"e{n}", "u", "i" * 300, n) for n in range(kept, kept + 50)]
                kept += store.append(batch).new
        except (OutOfResources, Unavailable) as fault:
            told.put((type(fault).__name__, kept, len(store)))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        told.put((store.append(batch).new, len(store)))


def test_a_file_that_may_not_grow_is_told_of_and_grows_again(tmp_path: Path) -> None:
    new = multiprocessing.get_context("spawn")
    told = new.Queue()
    child = new.Process(target=fills, args=(str(tmp_path / "s"), told))
    child.start()
    name, kept, there = told.get(timeout=120)
    after = told.get(timeout=120)
    child.join()
    told.close()
    assert (name, there) == ("OutOfResources", kept) and kept >= 50
    assert after == (50, kept + 50)


@pytest.fixture
def closed(fresh: Callable[[str], str]) -> Iterator[Store]:
    opened = Store.open(fresh("sqlite"))
    opened.close()
    yield opened
    opened.close()


def test_a_store_that_was_closed_opens_again_by_itself(closed: Store) -> None:
    assert closed.append([Event("e", "u", "i", 1)]).new == 1
