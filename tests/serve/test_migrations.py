"""Migrations lead to the tables of this version, once, whoever opens first."""

import threading
from types import ModuleType

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Text

from tastemaker.errors import ArtefactError
from tastemaker.serve import database, migrations
from tastemaker.serve.events import Event
from tastemaker.serve.migrations import MIGRATIONS
from tastemaker.serve.revisions import NEWEST, revision_of
from tastemaker.serve.store import Store
from tastemaker.serve.tables import metadata


def test_all_migrations_together_make_the_tables_that_the_code_knows(store: Store) -> None:
    with store.database.reading() as connection:
        assert revision_of(connection) == NEWEST
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_each_migration_follows_the_one_before() -> None:
    before = [None, *(one.revision for one in MIGRATIONS)]
    assert [one.down_revision for one in MIGRATIONS] == before[:-1]
    assert len({one.revision for one in MIGRATIONS}) == len(MIGRATIONS)


def test_a_store_of_an_older_version_is_migrated_and_keeps_its_events(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store.open(url) as store:
        store.append([Event("e", "u", "i", 5)])
    later = ModuleType("later")
    vars(later).update(revision="9999", down_revision=NEWEST, __file__="later.py")
    vars(later)["upgrade"] = lambda: op.add_column("events", Column("colour", Text))
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, later))
    monkeypatch.setattr(database, "NEWEST", "9999")
    for _ in range(2):
        with Store.open(url) as store, store.database.reading() as connection:
            assert revision_of(connection) == "9999"
            asked = "SELECT event_id, colour FROM events"
            assert list(connection.exec_driver_sql(asked)) == [("e", None)]
    monkeypatch.undo()
    with pytest.raises(ArtefactError) as caught:
        Store.open(url)
    assert (caught.value.got, NEWEST in caught.value.expected) == ("9999", True)


def test_a_migration_that_fails_leaves_everything_as_it_was(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        op.add_column("events", Column("colour", Text))
        raise RuntimeError

    Store.open(url).close()
    later = ModuleType("later")
    vars(later).update(revision="9999", down_revision=NEWEST, __file__="x", upgrade=fails)
    monkeypatch.setattr(migrations, "MIGRATIONS", (*MIGRATIONS, later))
    monkeypatch.setattr(database, "NEWEST", "9999")
    with pytest.raises(RuntimeError):
        Store.open(url)
    monkeypatch.undo()
    with Store.open(url) as store, store.database.reading() as connection:
        assert revision_of(connection) == NEWEST
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []


def test_who_opens_at_the_same_time_finds_one_store(url: str) -> None:
    met: list[str] = []

    def open_it() -> None:
        with Store.open(url) as store:
            met.append(store.identity)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(met) == 6 and len(set(met)) == 1
