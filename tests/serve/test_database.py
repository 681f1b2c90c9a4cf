"""Reading and writing: alone, whole, and let go of."""

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from tastemaker.errors import BadInput
from tastemaker.serve.database import Database
from tastemaker.serve.store import Store
from tastemaker.serve.tables import about


def rows(store: Store) -> dict[str, str]:
    with store.database.reading() as connection:
        found = {row.name: row.value for row in connection.execute(select(about))}
    found.pop("identity")
    return found


def test_what_fails_within_leaves_nothing(store: Store) -> None:
    with pytest.raises(KeyError), store.database.writing() as connection:
        connection.execute(insert(about).values(name="a", value="b"))
        raise KeyError
    assert rows(store) == {}


def test_new_rows_are_counted_and_others_stay_or_are_replaced(store: Store) -> None:
    told = [{"name": name, "value": "1"} for name in "aabc"]
    with store.database.writing() as connection:
        assert store.database.add_new(connection, about, told) == 3
        assert store.database.add_new(connection, about, [{"name": "a", "value": "2"}]) == 0
        assert store.database.add_new(connection, about, []) == 0
        store.database.put(connection, about, [{"name": n, "value": "3"} for n in "cd"])
        store.database.put(connection, about, [])
    assert rows(store) == {"a": "1", "b": "1", "c": "3", "d": "3"}


def test_deleted_text_stays_nowhere_in_the_files(tmp_path: Path) -> None:
    with Store.open(tmp_path / "s") as store:
        with store.database.writing() as connection:
            connection.execute(insert(about).values(name="a", value="canary" * 2_000))
        assert b"canary" in (tmp_path / "s-wal").read_bytes()
        with store.database.writing() as connection:
            connection.exec_driver_sql("DELETE FROM about WHERE name = 'a'")
        store.database.forget_deleted()
        for path in tmp_path.iterdir():
            assert b"canary" not in path.read_bytes(), path


def test_a_closed_database_leaves_one_file_that_others_can_read(tmp_path: Path) -> None:
    database = Database.open(tmp_path / "s")
    with database.writing() as connection:
        connection.execute(insert(about).values(name="a", value="b"))
    database.close()
    assert [path.name for path in tmp_path.iterdir()] == ["s"]
    link = sqlite3.connect(tmp_path / "s")
    assert link.execute("SELECT value FROM about WHERE name = 'a'").fetchone() == ("b",)
    link.close()


def test_a_file_without_tables_becomes_a_store_only_when_asked(tmp_path: Path) -> None:
    (tmp_path / "s").touch()
    with pytest.raises(BadInput):
        Database.open(tmp_path / "s", create=False)
    Database.open(tmp_path / "s").close()
    Database.open(tmp_path / "s", create=False).close()
