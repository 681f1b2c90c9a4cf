"""The second migration adds the tables of experiments to a store that has events."""

import pytest

from tastemaker.serve import database, migration_0001, migration_0002, migrations
from tastemaker.serve.events import Event
from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposure_rows import Exposure, write_exposures
from tastemaker.serve.revisions import revision_of
from tastemaker.serve.store import Store


def test_a_store_of_the_first_version_is_migrated(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "MIGRATIONS", (migration_0001,))
    monkeypatch.setattr(database, "NEWEST", "0001")
    with Store.open(url) as store, store.database.reading() as connection:
        assert revision_of(connection) == "0001"
        identity = store.identity
    with Store.open(url) as store:
        store.append([Event("e", "u", "i", 5)])
    monkeypatch.undo()
    assert migration_0002.down_revision == "0001"
    with Store.open(url, create=False) as store:
        assert store.identity == identity and store.append([Event("e", "u", "i", 5)]).duplicate == 1
        answers = [Exposure("u", "a", True, "a", "v", 5, ["i"])]
        assert write_exposures(store.database, Experiment.parse("x=a,b"), answers) == (1, 0)
