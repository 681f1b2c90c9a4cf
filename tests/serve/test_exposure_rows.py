"""Rows of exposures: joined as they come, and gone with their user."""

from typing import Any

from tastemaker.serve.experiments import Experiment
from tastemaker.serve.exposure_rows import Exposure, write_exposures
from tastemaker.serve.store import Store

SPLIT = Experiment.parse("x=a,b")


def answered(user: str, time: float, *items: str, arm: str = "a", known: bool = True) -> Exposure:
    model = arm if known else "popularity"
    return Exposure(user, arm, known, model, "v", round(time * 1e6), items)


def rows(store: Store, table: str, columns: str) -> set[tuple[Any, ...]]:
    with store.database.reading() as connection:
        told = connection.exec_driver_sql(f"SELECT {columns} FROM {table}")
        return {tuple(row) for row in told}


def test_answers_are_counted_and_the_first_times_stay(store: Store) -> None:
    batches = [
        [answered("u", 5, "i", "j"), answered("u", 3, "k"), answered("v", 4, "i", known=False)],
        [answered("u", 9, "i", "l"), answered("u", 1, "j", arm="b")],
        [answered("u", 2, "l")],  # of a server whose answers come late
    ]
    for batch in batches:
        assert write_exposures(store.database, SPLIT, batch) == (len(batch), 0)
    told = rows(store, "exposures", "user_id, arm, model, first_time, last_time, answers")
    assert told == {
        ("u", "a", "a", 2_000_000, 9_000_000, 4),
        ("u", "b", "b", 1_000_000, 1_000_000, 1),
        ("v", "a", "popularity", 4_000_000, 4_000_000, 1),
    }
    shown = rows(store, "shown_items", "user_id, item_id, first_time")
    first = {"i": 5, "j": 1, "k": 3, "l": 2}
    assert shown == {("u", item, time * 1_000_000) for item, time in first.items()}


def test_every_split_is_kept_with_when_it_was_last_declared(store: Store) -> None:
    other = Experiment.parse("x=a:0.9,b:0.1")
    for split, time in ((SPLIT, 5), (other, 6), (SPLIT, 7), (other, 2)):
        write_exposures(store.database, split, [answered("u", time)])
    told = rows(store, "experiments", "name, arms, declared")
    assert told == {("x", SPLIT.text, 7_000_000), ("x", other.text, 6_000_000)}


def test_an_erased_user_is_in_no_table_and_comes_back_only_as_somebody_new(store: Store) -> None:
    write_exposures(store.database, SPLIT, [answered("u", 5, "i"), answered("w", 5, "i")])
    store.erase("u")
    assert rows(store, "exposures", "user_id") == {("w",)} == rows(store, "shown_items", "user_id")
    until = store.erased(["u"])["u"]
    late = [answered("u", until, "i"), answered("u", until + 1, "j"), answered("w", 6)]
    assert write_exposures(store.database, SPLIT, late) == (2, 1)
    assert rows(store, "shown_items", "user_id, item_id") == {("u", "j"), ("w", "i")}
