"""A database that is gone, full, damaged or strange: a typed error, and it works again after."""

import os
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tastemaker.errors import ArtefactError, BadInput, OutOfResources, Unavailable
from tastemaker.serve.events import Event
from tastemaker.serve.faults import told
from tastemaker.serve.store import Store
from tests.serve.postgres import Postgres


def batch(start: int, count: int = 50) -> list[Event]:
    return [Event(f"e{n}", f"u{n % 7}", "i" * 500, 5) for n in range(start, start + count)]


def test_a_server_that_stops_and_comes_back(postgres: Postgres) -> None:
    with Store.open(postgres.fresh()) as store:
        store.append(batch(0))
        postgres.stop()
        try:
            for call in (lambda: store.append(batch(50)), lambda: store.history("u1", 3)):
                with pytest.raises(Unavailable) as caught:
                    call()
                assert caught.value.where == store.database.where and caught.value.fix
        finally:
            postgres.start()
        assert store.append(batch(25)).new == 25
        assert len(store) == 75


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        Store.open(f"postgresql+psycopg://u@/d?host={tmp_path}")


def test_names_that_a_server_does_not_know(postgres: Postgres) -> None:
    for url in (postgres.url("nowhere"), postgres.url().replace("tastemaker@", "stranger@")):
        with pytest.raises((BadInput, Unavailable)) as caught:
            Store.open(url)
        assert "nowhere" in caught.value.what or "stranger" in caught.value.what


def test_connections_that_were_cut_are_made_anew(postgres: Postgres) -> None:
    with Store.open(postgres.fresh()) as store:
        store.append(batch(0))
        others = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        )
        postgres.execute(others + " AND backend_type = 'client backend'")
        assert store.append(batch(0)).duplicate == 50


def test_a_file_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    path, aside = tmp_path / "s", tmp_path / "aside"
    with Store.open(path) as store:
        store.append(batch(0))
        path.rename(aside)
        for call in (lambda: store.append(batch(50)), lambda: store.history("u1", 3)):
            with pytest.raises(Unavailable):
                call()
        assert not path.exists()
        aside.rename(path)
        assert store.append(batch(25)).new == 25
        assert len(store) == 75


def test_a_file_that_is_replaced_is_the_one_that_is_written(tmp_path: Path) -> None:
    for name in ("s", "t"):
        with Store.open(tmp_path / name) as store:
            store.append(batch(0 if name == "s" else 50))
    with Store.open(tmp_path / "s") as store:
        assert store.history("u1", 1)
        os.replace(tmp_path / "t", tmp_path / "s")
        assert store.append(batch(50)).duplicate == 50


def test_a_full_disk_keeps_what_was_acknowledged_and_goes_on_with_room(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s") as store:
        most = [60]

        def full(link: DBAPIConnection, *_: object) -> None:
            link.cursor().execute(f"PRAGMA max_page_count = {most[0]}")

        event.listen(store.database.engine, "checkout", full)
        kept = 0
        with pytest.raises(OutOfResources) as caught:
            while True:
                kept += store.append(batch(kept)).new
        assert caught.value.exit_code == 5 and str(tmp_path) in caught.value.where
        assert kept and len(store) == kept and store.history("u1", 3)
        most[0] = 2**30
        assert store.append(batch(kept)).new == 50
        assert len(store) == kept + 50


def test_a_writer_that_holds_on_is_waited_for_and_then_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tastemaker.serve.engines.PATIENCE", 0.2)
    with Store.open(tmp_path / "s") as store:
        other = sqlite3.connect(tmp_path / "s", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            store.append(batch(0))
        assert len(store) == 0
        other.execute("ROLLBACK")
        other.close()
        assert store.append(batch(0)).new == 50


@pytest.mark.parametrize("start", [0, 20])
def test_a_damaged_file_is_no_store(tmp_path: Path, start: int) -> None:
    path = tmp_path / "s"
    with Store.open(path) as store:
        store.append(batch(0))
    raw = path.read_bytes()
    path.write_bytes(raw[:start] + os.urandom(5_000) + raw[start + 5_000 :])
    with pytest.raises(ArtefactError) as caught, Store.open(path) as store:
        len(store)
    assert caught.value.file == str(path)


def test_a_file_of_something_else_is_no_store(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("user_id,item_id\n" * 100)
    with pytest.raises(ArtefactError):
        Store.open(path)
    assert path.read_text().startswith("user_id")


@pytest.mark.parametrize(
    ("code", "kind"),
    [("53100", OutOfResources), ("53300", Unavailable), ("25006", OutOfResources),
     ("57P01", Unavailable), ("08006", Unavailable), ("40P01", Unavailable),
     ("55P03", Unavailable), ("28000", BadInput), ("42501", BadInput), ("3D000", BadInput)],
)  # fmt: skip
def test_what_postgres_says_by_its_code(
    postgres: Postgres, code: str, kind: type[Exception]
) -> None:
    raised = f"DO $$ BEGIN RAISE 'a fault' USING ERRCODE = '{code}'; END $$"
    with (
        Store.open(postgres.fresh()) as store,
        pytest.raises(kind),
        store.database.writing() as connection,
    ):
        connection.exec_driver_sql(raised)


def test_mistakes_of_our_own_are_not_dressed_up(store: Store) -> None:
    with pytest.raises(DBAPIError), store.database.writing() as connection:
        connection.exec_driver_sql("SELECT nothing FROM nowhere")
    with pytest.raises(Unavailable), told("here"):
        raise PoolTimeout
    assert len(store) == 0
