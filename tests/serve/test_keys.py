"""API keys: known once, kept as a hash, revoked for good."""

import pytest

from tastemaker.errors import BadInput
from tastemaker.serve.store import Store


def test_a_key_opens_until_it_is_revoked(store: Store) -> None:
    key = store.keys.make("shop")
    other = store.keys.make("app")
    assert len(key) > 40 and key != other
    assert (store.keys.name_of(key), store.keys.name_of(other)) == ("shop", "app")
    assert store.keys.names() == ["app", "shop"]
    assert (store.keys.revoke("shop"), store.keys.revoke("shop")) == (True, False)
    assert store.keys.name_of(key) is None and store.keys.names() == ["app"]
    again = store.keys.make("shop")
    assert store.keys.name_of(again) == "shop" and store.keys.name_of(key) is None


@pytest.mark.parametrize("wrong", ["", "x", "tm_", "\0", "\ud800", "' OR 1=1 --"])
def test_anything_else_opens_nothing(store: Store, wrong: str) -> None:
    store.keys.make("shop")
    assert store.keys.name_of(wrong) is None


def test_a_name_is_given_to_one_key_at_a_time(store: Store) -> None:
    store.keys.make("shop")
    for wrong in ("shop", "", "a\nb"):
        with pytest.raises(BadInput):
            store.keys.make(wrong)


def test_the_key_itself_is_not_kept(store: Store) -> None:
    key = store.keys.make("shop")
    with store.database.reading() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM api_keys").all()
    assert key not in str(rows) and key.encode() not in bytes(rows[0][0])
