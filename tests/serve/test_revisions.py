"""Where a database stands is told without Alembic, and as Alembic tells it."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.runtime.migration import MigrationContext

from tastemaker.errors import ArtefactError
from tastemaker.serve.database import Database
from tastemaker.serve.migrations import MIGRATIONS
from tastemaker.serve.revisions import NEWEST, revision_of
from tastemaker.serve.store import Store


def test_the_newest_is_the_last_migration() -> None:
    assert MIGRATIONS[-1].revision == NEWEST


def test_a_store_stands_where_alembic_says(store: Store) -> None:
    with store.database.writing() as connection:
        context = MigrationContext.configure(connection)
        assert revision_of(connection) == context.get_current_revision() == NEWEST
        connection.exec_driver_sql("DELETE FROM alembic_version")
        assert revision_of(connection) is None
        connection.exec_driver_sql("DROP TABLE alembic_version")
        assert revision_of(connection) is None


@pytest.mark.parametrize("revisions", [["theirs"], ["a", "b"], [NEWEST, "theirs"]])
def test_a_database_of_another_program_is_refused(
    store: Store, url: str, revisions: list[str]
) -> None:
    with store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
        for one in revisions:
            connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{one}')")
    with pytest.raises(ArtefactError) as caught:
        Database.open(url)
    assert caught.value.got == ", ".join(revisions)


def test_a_store_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    code = (
        "import sys; from tastemaker.serve.store import Store\n"
        "Store.open(sys.argv[1]).close()\n"
        "print('alembic' in sys.modules)"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "s")]
    told = [subprocess.run(words, check=True, capture_output=True, text=True) for _ in range(2)]
    assert [one.stdout for one in told] == ["True\n", "False\n"]
