"""Tasks open by name or path, each with what is known of its users and items."""

from pathlib import Path

import pytest

from tastemaker.data.gist_rows import GistRows
from tastemaker.errors import BadInput
from tastemaker.understand.tasks import TASKS, open_task
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users


def test_planted_users_are_a_task_by_name() -> None:
    task = open_task("planted", planted=PlantedOptions(users=2, seed=1))
    assert task.signals.log.num_users == 2
    assert task.planted is not None and task.oracle is not None and task.taxonomy is not None
    assert task.oracle.users == task.planted.oracle
    item, topic = next(iter(task.planted.topics.items()))
    assert task.categories[item] == (task.taxonomy.names[topic - 1],)
    with pytest.raises(BadInput):
        open_task("movielens-small", planted=PlantedOptions())


def test_films_have_polarities_by_our_mapping_and_say_so() -> None:
    task = open_task("movielens-small")
    assert "our mapping" in task.note
    assert task.signals.kinds == ("explicit_positive", "implicit_positive", "explicit_negative")
    assert task.signals.log.num_users == 671
    assert task.taxonomy is not None and task.taxonomy.number("film-noir")
    assert set(task.categories) <= set(task.texts) == set(task.signals.log.item_ids)
    told = {item: task.texts[item] for item, _ in next(task.users()).events}
    assert all("title: " in text for text in told.values())


def test_generated_videos_are_a_task() -> None:
    task = open_task("short-videos")
    assert task.signals.kinds == ("explicit_positive", "implicit_positive", "implicit_negative")
    assert task.noun == "videos" and task.note == ""
    assert task.taxonomy is not None
    assert {name for own in task.categories.values() for name in own} <= set(task.taxonomy.names)


def test_rated_albums_are_a_task_where_the_files_are(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not (shared_data / "amazon-cds").is_dir():
        pytest.skip("the folder of real data has no amazon-cds")
    monkeypatch.setenv("TASTEMAKER_DATA", str(shared_data))
    task = open_task("amazon-cds")
    assert task.signals.kinds == ("explicit_positive", "implicit_positive", "explicit_negative")
    assert "our mapping" in task.note
    assert sum(map(bool, task.texts.values())) > 0.99 * len(task.texts)


def test_rated_albums_say_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TASTEMAKER_DATA", raising=False)
    with pytest.raises(BadInput, match="TASTEMAKER_DATA"):
        open_task("amazon-cds")


def test_names_that_are_nothing_are_told_the_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TASTEMAKER_DATA", raising=False)
    for name in (str(tmp_path / "nothing"), "", "a\0b"):
        with pytest.raises(BadInput) as caught:
            open_task(name)
        assert all(task in caught.value.fix for task in TASKS)


def test_a_log_without_polarities_says_what_to_declare(small_data: Path) -> None:
    with pytest.raises(BadInput) as caught:
        open_task(small_data)
    assert "implicit_negative" in caught.value.fix


def test_rows_take_a_taxonomy_and_an_oracle_that_fit(tmp_path: Path) -> None:
    world = plant_users(PlantedOptions(users=2))
    rows, taxonomy, oracle = (tmp_path / name for name in ("r.json", "t.csv", "o.json"))
    GistRows(world.interactions(), world.texts, world.declared).save(rows)
    taxonomy.write_text("category_id,category_name\n1,Tea\n2,Chess\n")
    oracle.write_text('{"oracle": {"u0": [2], "u1": []}}')
    task = open_task(rows, taxonomy, oracle)
    assert task.name == "r" and task.planted is None
    assert task.oracle is not None and task.oracle.users["u0"] == {2}
    with pytest.raises(BadInput):
        open_task(rows, oracle=oracle)
    oracle.write_text('{"oracle": {"u0": [3]}}')
    with pytest.raises(BadInput, match="3"):
        open_task(rows, taxonomy, oracle)


def test_the_published_rows_open_with_their_oracle(shared_data: Path) -> None:
    folder = shared_data / "gistbench"
    if not folder.is_dir():
        pytest.skip("the folder of real data has no gistbench")
    task = open_task(
        folder / "mock_dataset.json", folder / "categories.csv", folder / "mock_oracle.json"
    )
    assert task.oracle is not None
    assert task.oracle.split(user.user for user in task.users()) == (["1", "2", "3"], [])
