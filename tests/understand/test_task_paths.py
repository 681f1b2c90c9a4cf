"""Paths are tasks and logs by what lies there."""

from pathlib import Path

import polars as pl
import pytest

from tastemaker.data.gist_rows import DECLARED, GistRows
from tastemaker.errors import BadInput
from tastemaker.understand.planted_folder import write_planted
from tastemaker.understand.task_paths import open_log, planted_task, task_of_path
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users


def test_any_declared_log_is_a_task_with_its_catalogue(tmp_path: Path) -> None:
    rows = {"user_id": ["a", "a", "b"], "item_id": ["x", "y", "x"], "timestamp": [1, 2, 3]}
    pl.DataFrame(rows | {"event": ["like", "skip", "skip"]}).write_csv(
        tmp_path / "interactions.csv"
    )
    (tmp_path / "dataset.json").write_text(
        '{"events": {"like": "explicit_positive", "skip": "implicit_negative"}}'
    )
    (tmp_path / "items.csv").write_text("item_id,title,categories\nx,Ex,A|B\nz,Zed,C\n")
    task = task_of_path(tmp_path)
    assert [user.user for user in task.users()] == ["a", "b"]
    assert task.texts["x"] == "title: Ex; categories: A, B" and not task.texts["y"]
    assert task.categories == {"x": ("A", "B")}


def test_rows_say_what_they_mean_even_where_all_are_of_one_type(tmp_path: Path) -> None:
    world = plant_users(PlantedOptions(users=1, decoys=0, kinds=("implicit_positive",), length=40))
    GistRows(world.interactions(), world.texts, world.declared).save(tmp_path / "r.csv")
    assert task_of_path(tmp_path).signals.kinds == ("implicit_positive",)
    assert task_of_path(tmp_path / "r.csv").signals.kinds == ("implicit_positive",)


def test_a_log_opens_with_what_is_known_of_it(
    tmp_path: Path, small_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TASTEMAKER_DATA", raising=False)
    world = plant_users(PlantedOptions(users=2))
    write_planted(world, tmp_path)
    log, declared, catalog = open_log(tmp_path)
    assert (log.num_events, declared) == (len(world.frame), DECLARED)
    assert set(catalog.frame["item_id"]) == set(world.texts)
    assert not len(open_log(tmp_path / "rows.csv")[2].frame)
    ring, plain, items = open_log(small_data)
    assert list(plain.events) == ["view"]
    assert ring.num_items <= len(items.frame)
    for name in ("", "no such thing"):
        with pytest.raises(BadInput):
            open_log(name)


def test_planted_users_are_known_by_topic() -> None:
    world = plant_users(PlantedOptions(users=1))
    task = planted_task(world)
    assert task.planted is world
    assert task.oracle is not None and task.oracle.users == world.oracle
