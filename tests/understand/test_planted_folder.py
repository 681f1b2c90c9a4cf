"""Planted users on disk are the same world when opened again."""

import json
from pathlib import Path

import pytest

from tastemaker.errors import TastemakerError
from tastemaker.understand.oracle import Oracle
from tastemaker.understand.planted_folder import write_planted
from tastemaker.understand.task_paths import planted_task
from tastemaker.understand.tasks import open_task
from tastemaker.understand.taxonomy import Taxonomy
from tastemaker.worlds.planted_interests import PlantedOptions, PlantedUsers, plant_users


@pytest.mark.parametrize(
    "options",
    [
        PlantedOptions(users=11, ambiguity=0.2, seed=3),
        PlantedOptions(users=2, interests=1, decoys=0, length=30, kinds=("implicit_positive",)),
    ],
)
def test_a_folder_opens_as_the_same_task_with_its_truth(
    tmp_path: Path, options: PlantedOptions
) -> None:
    world = plant_users(options)
    write_planted(world, tmp_path / "planted")
    opened, known = open_task(tmp_path / "planted"), planted_task(world)
    assert opened.sha256 == known.sha256
    assert isinstance(opened.planted, PlantedUsers)
    assert opened.planted.frame.equals(world.frame)
    assert opened.planted.options == options
    assert (opened.planted.topics, opened.planted.planted) == (world.topics, world.planted)
    assert opened.categories == known.categories
    assert Oracle.open(tmp_path / "planted/oracle.json").users == world.oracle
    assert Taxonomy.open(tmp_path / "planted/taxonomy.csv") == known.taxonomy


def test_rows_alone_are_users_without_truth(tmp_path: Path) -> None:
    write_planted(plant_users(), tmp_path)
    (tmp_path / "truth.json").unlink()
    bare = open_task(tmp_path)
    assert bare.planted is None
    assert bare.sha256 == open_task("planted").sha256
    assert bare.oracle is not None and bare.taxonomy is not None
    assert open_task(tmp_path / "rows.csv").oracle is None


@pytest.mark.parametrize("change", ["user", "item", "role", "options", "kept"])
def test_a_truth_of_other_rows_is_refused(tmp_path: Path, change: str) -> None:
    world = plant_users(PlantedOptions(users=2))
    write_planted(world, tmp_path)
    truth = json.loads((tmp_path / "truth.json").read_text())
    if change == "user":
        truth["planted"].pop("u1")
    elif change == "item":
        truth["topics"].pop(world.frame["item_id"][0])
    elif change == "role":
        truth["planted"]["u0"]["1"] = "hobby"
    elif change == "options":
        truth["options"]["users"] = "many"
    else:
        truth["planted"]["u9"] = {}
    (tmp_path / "truth.json").write_text(json.dumps(truth))
    with pytest.raises(TastemakerError):
        open_task(tmp_path)
