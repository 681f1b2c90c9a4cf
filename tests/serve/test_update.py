"""What a server was told becomes a better model or none: learnt, compared, published, undone."""

import errno
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

import tastemaker
from tastemaker.errors import ArtefactError, BadInput, OutOfResources, Unavailable
from tastemaker.files import JsonObject
from tastemaker.options import UpdateOptions
from tastemaker.run.folder import only_writer, seal_run, train_on, version_of
from tastemaker.run.publishing import next_run, run_before
from tastemaker.run.saved import open_run
from tastemaker.run.update import Lesson, News, learn, lesson_of
from tastemaker.serve import update as updates
from tastemaker.serve.app import create_app
from tastemaker.serve.events import Event
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tastemaker.serve.update import read_news, rollback, update
from tests.run.news import START, Told, log_of, visits
from tests.serve.served import LIMITS

ROOT = Path(__file__).parents[2]
QUICK = UpdateOptions(epochs=1)
ACCEPT = UpdateOptions(epochs=1, accept=True)


def events(told: Sequence[Told], name: str = "e", kind: str = "view") -> list[Event]:
    return [
        Event(f"{name}-{n}", user, item, int(time) + 0.75, kind)
        for n, (user, item, time) in enumerate(told)
    ]


def store_of(run: Path) -> Path:
    return run.with_name(f"{run.name}.store.sqlite")


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A run whose data are gone, with an empty store beside it."""
    place = Path(shutil.copytree(finished_run, tmp_path / "run"))
    config = json.loads((place / "config.json").read_text()) | {"data": str(tmp_path / "gone")}
    (place / "config.json").write_text(json.dumps(config))
    seal_run(place, {"best": "any"})
    Store.open(store_of(place)).close()
    return place


@pytest.fixture
def told(run: Path) -> Path:
    """The run, with events in its store."""
    with Store.open(store_of(run)) as store:
        store.append(events(visits()))
    return run


@pytest.fixture(scope="module")
def pupil(finished_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run after `visits`, for tests in which it does not matter how it came to be."""
    folder = tmp_path_factory.mktemp("pupil") / "run"
    lesson = lesson_of(open_run(finished_run), News(log_of(visits())))
    learn(lesson, folder, {"from": "before"}, epochs=1)
    return folder


@pytest.fixture
def at_once(pupil: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an update learn in no time."""

    def made(lesson: Lesson, folder: Path, source: JsonObject, epochs: int) -> None:
        shutil.copytree(pupil, folder)
        for name in ("config.json", "results.json"):
            held = json.loads((folder / name).read_text())
            (folder / name).write_text(json.dumps(held | {"updated": held["updated"] | source}))
        seal_run(folder, {"best": "any"})

    monkeypatch.setattr(updates, "learn", made)


def test_a_browser_makes_a_new_model(run: Path) -> None:
    """Events posted as the page posts them, an update, and the server answers with what it learnt.

    Somebody asks all the while: no request fails, and no answer mixes two versions.
    """
    with serving(run) as address, httpx2.Client(base_url=address, trust_env=False) as client:
        before = client.get("/v1/model").json()["version"]
        assert client.get("/v1/items?q=new1").json()["items"] == []
        for user in sorted({user for user, _, _ in visits()}):
            visited(client, [told for told in visits() if told[0] == user])
        failed, versions, done = [], [], threading.Event()

        def ask() -> None:
            with httpx2.Client(base_url=address, trust_env=False) as other:
                while not done.is_set():
                    for path in ("users/u3/recommendations?k=5", "users/n25/history", "popular"):
                        answer = other.get(f"/v1/{path}")
                        if answer.status_code != 200:
                            failed.append(answer.text)
                        elif "source" in answer.json():
                            versions.append(answer.json()["source"]["version"])

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            answer = update(run, options=QUICK)
            assert answer["published"], answer
            until(lambda: client.get("/v1/model").json()["version"] == answer["version"])
            until(lambda: versions[-1:] == [answer["version"]])
        finally:
            done.set()
            asking.join()
        assert not failed
        assert sorted(set(versions)) == sorted({before, answer["version"]})
        assert versions == sorted(versions, key=lambda version: version != before)
        (found,) = client.get("/v1/items?q=new1").json()["items"]
        assert found["item"] == "new1"
        asked = {"history": [{"item_id": "new1"}], "k": 40}
        lists = [
            client.get("/v1/users/stranger/recommendations?k=40").json(),
            client.post("/v1/recommendations", json=asked).json(),
        ]
        assert all({"new1", "new2"} & {one["item"] for one in told["items"]} for told in lists)
        history = client.get("/v1/users/n25/history?k=50").json()["events"]
        assert len(history) == 5, "in the log and in the store, and shown once"


def visited(client: httpx2.Client, told: Sequence[Told]) -> None:
    """Tell what somebody did, as the page of the server does it."""
    body = [
        {"event_id": f"{user}-{n}", "user_id": user, "item_id": item, "time": moment}
        for n, (user, item, moment) in enumerate(told)
    ]
    assert client.post("/v1/events", json={"events": body}).json()["new"] == len(told)


def until(true: Any) -> None:
    for _ in range(1_200):
        if true():
            return
        time.sleep(0.05)
    raise AssertionError("it never came to that")


class serving:
    """A server of a run, in a process of its own; gives its address."""

    def __init__(self, run: Path) -> None:
        command = [sys.executable, "-m", "tastemaker.cli", "serve", str(run), "--port", "0"]
        env = os.environ | {"OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, stderr=subprocess.PIPE, text=True, env=env, cwd=ROOT
        )

    def __enter__(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if address := re.search(r"http://\S+", line):
                # A log that nobody reads would in the end hold up the server.
                self.reading = threading.Thread(target=self.process.stderr.read)
                self.reading.start()
                return address[0]
        raise AssertionError("it ended before it was ready")

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        assert self.process.wait(120) == 0
        self.reading.join()
        assert self.process.stderr is not None
        self.process.stderr.close()


def test_what_was_learnt_is_not_read_again_and_can_be_taken_back(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = version_of(told)
    next_run(told).mkdir()  # of an update that was killed
    (next_run(told) / "config.json").write_text('{"updated": {}}')
    monkeypatch.chdir(told.parent)
    Path("link").symlink_to("run")
    with Store.open(store_of(told)) as store:
        before = told_of_all(told, store)
    answer = tastemaker.update("link", store_of(told), QUICK)
    assert answer["published"] and answer["comparison"]["difference"] > 0
    assert (answer["before"], answer["version"]) == (old, version_of(told))
    assert answer["new"]["events"] == 131 and answer["start"] == "grown"
    assert Path("link").is_symlink() and not next_run(told).exists()
    assert version_of(run_before(told)) == old
    again = update(told)
    assert not again["published"] and again["version"] == answer["version"]
    assert not any(again["new"].values()) and again["comparison"] is None
    with Store.open(store_of(told)) as store:
        assert told_of_all(told, store) == before, "in the log and in the store, and counted once"
        store.append(events([("u4", "i39", START + 500)], "later"))
        assert len(told_of_all(told, store)["u4"]) == len(before["u4"]) + 1
        news, source, rest = read_news(open_run(told), str(store_of(told)))
        assert news.events is not None and news.events.num_events == 1 and not rest["another"]
        assert source == {"database": store.identity, "last": 151}
    assert rollback("run") == {"run": "run", "version": old, "before": answer["version"]}
    assert version_of(told) == old
    assert rollback(told)["version"] == answer["version"] == version_of(told)


def told_of_all(run: Path, store: Store) -> dict[str, list[str]]:
    """What the server says users did, and what it ranks them by."""
    service = Service(Opened.open(run), store, LIMITS)
    histories = {}
    with TestClient(create_app(service)) as client:
        for user in ("u1", "u4", "n22"):
            shown = client.get(f"/v1/users/{user}/history?k=50").json()["events"]
            histories[user] = [event["item"] for event in reversed(shown)]
            given = [(one.item_id, one.time, one.kind) for one in store.history(user, 50)]
            asker = service.run.saved.context_with(user, given)
            log = service.run.saved.interactions
            known = [item for item in histories[user] if item in log.item_codes]
            assert log.decode(asker.context.items) == known
    return histories


@pytest.mark.usefixtures("at_once")
def test_a_worse_run_is_not_published_and_stays_for_a_look(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = version_of(told)
    monkeypatch.setattr(updates, "worse", lambda pair, margin: f"by {margin}")
    answer = update(told, options=UpdateOptions(epochs=1, margin=0.2))
    assert not answer["published"] and answer["why"] == "by 0.2"
    assert answer["version"] == answer["before"] == old == version_of(told)
    assert open_run(answer["kept"]).config["updated"]["from"] == old
    assert not run_before(told).exists()
    accepted = update(told, options=ACCEPT)
    assert accepted["published"] and "by 0.05" in accepted["why"]
    assert accepted["new"] == answer["new"], "what was not published is learnt again"


@pytest.mark.usefixtures("at_once")
def test_where_nothing_can_be_compared_only_accept_publishes(
    told: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(updates, "compared", lambda *_: None)
    answer = update(told, options=QUICK)
    assert not answer["published"] and answer["comparison"] is None
    assert update(told, options=ACCEPT)["published"]


def test_a_dry_run_says_what_there_is_and_trains_nothing(told: Path) -> None:
    with Store.open(store_of(told)) as store:
        store.append(events([("u1", "i1", START), ("u2", "i2", START)], "wrong", "hugged"))
        store.append(events([("u1", "i1", START)], "seen", "shown"))
    old = version_of(told)
    answer = update(told, options=UpdateOptions(dry_run=True))
    assert answer["new"] == {
        "events": 131, "users": 10, "items": 2, "known": 0, "repeated": 19, "removed": 0,
    }  # fmt: skip
    assert answer["dropped"] == 2 and answer["dropped_because"][0][1] == 2
    assert not answer["published"] and version_of(told) == old
    assert {path.name for path in told.parent.iterdir()} >= {"run", store_of(told).name}
    assert not next_run(told).exists()


def test_who_was_erased_is_forgotten_even_if_nothing_is_new(run: Path) -> None:
    with Store.open(store_of(run)) as store:
        store.erase("u1")
        answer = update(run, options=UpdateOptions(dry_run=True))
        assert answer["new"]["removed"] > 0 and answer["new"]["events"] == 0
        store.append(events([("u2", "i5", START)]))
        store.erase("u2")  # so that nothing but an erased user's event is new
        answer = update(run, options=ACCEPT)
    assert answer["published"] and answer["start"] == "afresh"
    log = open_run(run).data.interactions
    assert not {"u1", "u2"} & set(log.user_ids)
    assert update(run)["why"] == "nothing is new"


@pytest.mark.usefixtures("at_once")
def test_another_database_is_read_from_its_start_without_doubling(told: Path) -> None:
    assert update(told, options=ACCEPT)["published"]
    copy = told.parent / "other.sqlite"
    with Store.open(copy) as store:
        store.append(events(visits(), "other"))
        store.append(events([("u7", "i30", START + 900)], "more"))
    answer = update(told, copy, UpdateOptions(dry_run=True))
    assert answer["another"] and answer["new"]["known"] == 131
    assert answer["new"]["events"] == 1 and answer["new"]["repeated"] == 19


def test_a_newer_catalogue_is_taken_over(run: Path, tmp_path: Path) -> None:
    items = tmp_path / "items.csv"
    items.write_text("item_id,title\nnew1,A lamp\ni3,Another name\n")
    news, _, _ = read_news(open_run(run), str(store_of(run)), str(items))
    assert news.catalog is not None and news.catalog.titles() == ["A lamp", "Another name"]
    for wrong in ("no-such.csv", str(tmp_path), "/dev/null"):
        with pytest.raises(BadInput):
            read_news(open_run(run), str(store_of(run)), wrong)


def test_what_cannot_be_done_changes_nothing(told: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = version_of(told)
    away = "postgresql://u@/d?host=/nowhere"
    none = str(told.parent / "none.sqlite")
    for database, kind in ((away, Unavailable), (none, BadInput), ("x://y", BadInput)):
        with pytest.raises(kind):
            update(told, database)
    with pytest.raises(ArtefactError):
        update(told.parent / "no such run")
    assert not (told.parent / "no such run").exists()
    with pytest.raises(BadInput):
        rollback(told)
    with only_writer(told), pytest.raises(BadInput, match="Another process"):
        update(told)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    with monkeypatch.context() as patched, pytest.raises(OutOfResources):
        patched.setattr(os, "fsync", full)
        update(told, options=ACCEPT)
    assert version_of(told) == old
    train_on(told)
    with pytest.raises(BadInput, match="trains on"):
        update(told)
    assert version_of(told) == old


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": -1}, {"margin": 1.5}, {"margin": float("nan")}, {"accept": True, "dry_run": True}],
)
def test_options_that_mean_nothing(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        UpdateOptions(**wrong)
