"""The tables bind what the store promises, whoever writes."""

import pytest
from sqlalchemy.exc import IntegrityError

from tastemaker.serve.store import Store
from tastemaker.serve.tables import metadata


def test_tables_are_those_that_the_store_speaks_of() -> None:
    assert set(metadata.tables) == {
        "events", "hidden_items", "erased_users", "user_states", "about",
        "experiments", "exposures", "shown_items"}  # fmt: skip


@pytest.mark.parametrize(
    "values", ["'e', 'u', NULL, '', 1, 1", "'e', NULL, 'i', '', 1, 1", "NULL, 'u', 'i', '', 1, 1"]
)
def test_an_event_without_ids_cannot_be_written(store: Store, values: str) -> None:
    columns = "event_id, user_id, item_id, kind, time, received"
    with pytest.raises(IntegrityError), store.database.writing() as connection:
        connection.exec_driver_sql(f"INSERT INTO events ({columns}) VALUES ({values})")
    assert len(store) == 0
