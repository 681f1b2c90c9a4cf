"""Adding rows: counts are those of the rows, whatever their number."""

import pytest

from tastemaker.serve.adding import Appended, add
from tastemaker.serve.events import Event, rows_of
from tastemaker.serve.store import Store


@pytest.mark.parametrize("size", [1, 50, 2_500])
def test_counts_add_up(store: Store, size: int) -> None:
    told = [Event(f"e{n}", f"u{n}", "i", 5) for n in range(size)]
    store.append([Event("before", "u0", "i", 9)])
    store.erase("u0")
    with store.database.writing() as connection:
        rows = rows_of(told + told, 0)
        assert add(store.database, connection, rows) == Appended(size - 1, size - 1, 2)
        assert add(store.database, connection, []) == Appended(0, 0)
    assert len(store) == size - 1


def test_batches_are_summed() -> None:
    assert Appended(1, 2, 3) + Appended(10, 20, 30) == Appended(11, 22, 33)
