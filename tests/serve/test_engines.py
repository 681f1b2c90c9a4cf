"""URLs become connections that are set up as they must be, or errors that show no password."""

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tastemaker.errors import BadInput, OutOfResources
from tastemaker.serve.engines import engine_of
from tastemaker.serve.store import Store
from tests.serve.postgres import USER, Postgres


def asked(url: str, *questions: str) -> list[Any]:
    engine, _ = engine_of(url, create=True)
    with engine.connect() as connection:
        answers = [connection.execute(text(question)).scalar() for question in questions]
    engine.dispose()
    return answers


def test_sqlite_writes_ahead_syncs_every_commit_and_overwrites_what_it_deletes(
    tmp_path: Path,
) -> None:
    names = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "busy_timeout")
    answers = asked(str(tmp_path / "s"), *(f"PRAGMA {name}" for name in names))
    assert answers == ["wal", 2, 1, 1, 30_000]


def test_postgres_acknowledges_what_is_on_its_disk(postgres: Postgres) -> None:
    lazy = postgres.url() + "&options=-csynchronous_commit%3Doff"
    assert asked(lazy, "SHOW synchronous_commit", "SHOW lock_timeout") == ["on", "30s"]
    stronger = postgres.url() + "&options=-csynchronous_commit%3Dremote_apply"
    assert asked(stronger, "SHOW synchronous_commit") == ["remote_apply"]


def test_a_path_and_a_url_are_one_file_that_is_its_owners_alone(tmp_path: Path) -> None:
    path = tmp_path / "a b?#%.sqlite"
    with Store.open(path) as store:
        identity = store.identity
    assert path.stat().st_mode & 0o777 == 0o600
    for url in (str(path), "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")):
        with Store.open(url, create=False) as store:
            assert store.identity == identity


@pytest.mark.parametrize(
    "url",
    ["", "\0", "mysql://u:secret@h/d", "postgresql+asyncpg://u:secret@h/d", "sqlite://",
     "sqlite:///:memory:", "sqlite:///x?mode=memory", "://", "oracle://", "postgresql://u:secret@h:port/d"],
)  # fmt: skip
def test_what_no_store_can_lie_in_is_refused(url: str) -> None:
    with pytest.raises(BadInput) as caught:
        Store.open(url)
    assert "secret" not in str(caught.value) and caught.value.fix


def test_where_there_is_no_store_none_is_made_unasked(tmp_path: Path, postgres: Postgres) -> None:
    path = tmp_path / "none"
    for url in (str(path), postgres.fresh()):
        with pytest.raises(BadInput):
            Store.open(url, create=False)
    assert not path.exists()
    sqlite3.connect(path).close()
    path.touch()
    with pytest.raises(BadInput):
        Store.open(path, create=False)


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutOfResources) as caught:
        Store.open(tmp_path / "no" / "folder")
    assert str(tmp_path) in caught.value.where
    with pytest.raises((OutOfResources, BadInput)):
        Store.open(tmp_path)
    if os.getuid() != 0:
        tmp_path.chmod(0o500)
        with pytest.raises(OutOfResources):
            Store.open(tmp_path / "s")


def test_a_database_that_cannot_hold_every_id_is_refused(postgres: Postgres) -> None:
    postgres.execute("DROP DATABASE IF EXISTS narrow")
    postgres.execute("CREATE DATABASE narrow ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(BadInput) as caught:
        Store.open(postgres.url("narrow"))
    assert "LATIN1" in caught.value.what and "UTF8" in caught.value.fix


def test_passwords_are_not_shown(tmp_path: Path) -> None:
    url = f"postgresql://{USER}:secret@/d?host={tmp_path}"
    _, where = engine_of(url, create=True)
    assert "secret" not in where and where.startswith("postgresql+psycopg://")
