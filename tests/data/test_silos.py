"""Silos: whose events lie where, and that all speak of one catalogue."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tastemaker.data.interactions import Interactions
from tastemaker.data.problems import BadData
from tastemaker.data.silos import Silos, by_column, in_catalogue
from tastemaker.data.splits import leave_one_out
from tastemaker.errors import BadInput

FRAME = pl.DataFrame(
    {
        "user_id": ["a", "b", "a", "a", "c", "b", "c", "a"],
        "item_id": ["x", "y", "z", "y", "x", "x", "z", "w"],
        "timestamp": [1.7e9 + 10 * i for i in range(8)],
        "shop": ["north", "south", "south", "north", "north", "south", "north", "north"],
    }
).cast({"timestamp": pl.Int64})


def histories(silos: Silos, silo: int) -> dict[str, list[str]]:
    log = silos.log
    users = np.flatnonzero(silos.owners == silo)
    return {log.user_ids[int(user)]: log.decode(log.history(int(user))) for user in users}


@pytest.mark.parametrize("kind", ["frame", "csv", "parquet"])
def test_a_column_says_where_each_event_lies(kind: str, tmp_path: Path) -> None:
    data: object = FRAME
    if kind == "csv":
        FRAME.write_csv(tmp_path / "interactions.csv")
        data = tmp_path
    elif kind == "parquet":
        FRAME.write_parquet(tmp_path / "interactions.parquet")
        data = tmp_path
    silos = by_column(data, "shop")
    assert silos.names == ("north", "south")
    assert histories(silos, 0) == {"a": ["x", "y", "w"], "c": ["x", "z"]}
    assert histories(silos, 1) == {"a": ["z"], "b": ["y", "x"]}
    assert silos.log.num_items == 4


def test_every_event_is_in_one_silo_and_none_is_lost() -> None:
    rng = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "user_id": rng.integers(0, 9, 300).astype(str),
            "item_id": rng.integers(0, 20, 300).astype(str),
            "timestamp": 1_700_000_000 + np.arange(300),
            "shop": rng.integers(0, 4, 300),
        }
    )
    silos = by_column(frame, "shop")
    found = [
        (name, user, item)
        for silo, name in enumerate(silos.names)
        for user, items in histories(silos, silo).items()
        for item in items
    ]
    wanted = frame.select(pl.col("shop").cast(pl.String), "user_id", "item_id").rows()
    assert sorted(found) == sorted(wanted)


def test_a_column_that_names_no_silo_is_refused() -> None:
    with pytest.raises(BadData) as refused:
        by_column(FRAME, "store")
    assert refused.value.problems[0].column == "store"
    with pytest.raises(BadData) as refused:
        by_column(FRAME.with_columns(shop=pl.lit(0.5)), "shop")
    assert refused.value.problems[0].column == "shop"
    gaps = FRAME.with_columns(shop=pl.Series(["n", None, "n", " ", "n", "n", "n", "n"]))
    with pytest.raises(BadData) as refused:
        by_column(gaps, "shop")
    (problem,) = refused.value.problems
    assert (problem.row, problem.count) == (2, 2)


def test_items_of_no_catalogue_are_named_for_every_silo_at_once() -> None:
    logs = {
        "north": Interactions.from_sequences({"a": ["x", "odd"]}),
        "south": Interactions.from_sequences({"b": ["strange", "y"]}),
        "west": Interactions.from_sequences({"c": ["x", "y"]}),
    }
    with pytest.raises(BadData) as refused:
        Silos.of_logs(logs, pl.Series(["x", "y"]))
    problems = refused.value.problems
    assert [problem.file for problem in problems] == ["north", "south"]
    assert "'odd'" in problems[0].what and "'strange'" in problems[1].what
    with pytest.raises(BadData):
        in_catalogue(logs["north"], pl.Series(["x"]))


def test_a_silo_speaks_by_the_codes_of_the_catalogue() -> None:
    log = Interactions.from_sequences({"a": ["y", "x"], "b": ["y"]})
    coded = in_catalogue(log, pl.Series(["w", "x", "y", "z"]))
    assert coded.items.tolist() == [3, 2, 3]
    assert coded.num_items == 4
    assert coded.decode(coded.history(0)) == ["y", "x"]


def test_contexts_and_queries_are_parted_by_user() -> None:
    sequences = {name: ["x", "y", "z", "x2"] for name in "abcde"}
    log = Interactions.from_sequences(sequences)
    silos = Silos.of_users(log, ["s", "n", "s", "n", "s"])
    cuts = leave_one_out(log)
    trained = silos.contexts(cuts.train())
    assert {name: part.users.tolist() for name, part in trained.items()} == {
        "n": [1, 3],
        "s": [0, 2, 4],
    }
    asked = silos.queries(cuts.queries("test"))
    assert {name: len(part) for name, part in asked.items()} == {"n": 2, "s": 3}


def test_a_panel_is_of_no_silo() -> None:
    log = Interactions.from_sequences({str(i): ["x", "y", "z"] for i in range(20)})
    silos = Silos.of_users(log, ["n", "s"] * 10)
    parted = silos.panel(5, seed=3)
    assert (parted.owners == -1).sum() == 5
    left = parted.owners >= 0
    assert (parted.owners[left] == silos.owners[left]).all()
    assert len(parted.rows(leave_one_out(log).train(), -1)) == 5
    assert (silos.panel(5, seed=3).owners == parted.owners).all()
    with pytest.raises(BadInput):
        silos.panel(20)


def test_a_user_without_a_silo_is_refused() -> None:
    log = Interactions.from_sequences({"a": ["x"], "b": ["y"]})
    for labels in (["n"], ["n", ""], ["n", None]):
        with pytest.raises(BadInput):
            Silos.of_users(log, labels)  # type: ignore[arg-type]


def test_silos_with_items_of_no_catalogue_are_all_named() -> None:
    silos = by_column(FRAME, "shop")
    silos.refuse_unknown(pl.Series(["w", "x", "y", "z"]))
    with pytest.raises(BadData) as refused:
        silos.refuse_unknown(pl.Series(["x", "z", "elsewhere"]))
    found = [(problem.file, problem.count) for problem in refused.value.problems]
    assert found == [("north", 2), ("south", 1)]
    assert "w" in refused.value.problems[0].what and "y" in refused.value.problems[1].what
