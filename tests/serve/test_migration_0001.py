"""The first migration, which is never changed once it is released."""

from tastemaker.serve import migration_0001
from tastemaker.serve.store import Store


def test_it_is_the_first_and_gives_every_database_a_name_of_its_own(fresh, store: Store) -> None:  # type: ignore[no-untyped-def]
    assert (migration_0001.revision, migration_0001.down_revision) == ("0001", None)
    with Store.open(fresh("sqlite")) as other:
        assert len(other.identity) == 36 and other.identity != store.identity
