"""Made users are tasks, and verdicts of runs and of counting are held against a survey."""

from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.run.benchmark_data import make_dataset, make_planted, validate_interests
from tastemaker.understand.gistbench import run
from tastemaker.understand.simulated import SMALL, Simulated
from tastemaker.understand.tasks import open_task
from tastemaker.worlds.planted_interests import PlantedOptions
from tests.understand.gist_tasks import OPTIONS, TASK, TRUTH, WORLD


def survey(path: Path) -> str:
    """Everybody says yes to their interests and no to three others, by another name for one."""
    lines = ["user_id,interest,answer"]
    for user, own in WORLD.oracle.items():
        others = [topic for topic in range(1, 25) if topic not in own][:3]
        lines += [f"{user},{SMALL.names[topic - 1].upper()},yes" for topic in own]
        lines += [f"{user},{SMALL.names[topic - 1]},no" for topic in others]
    path.write_text("\n".join(lines))
    return str(path)


def test_planted_users_are_written_as_a_task(tmp_path: Path) -> None:
    told = make_planted(PlantedOptions(users=3), str(tmp_path / "made"))
    assert (told["users"], told["events"], told["interests"]) == (3, 240, 12)
    task = open_task(told["folder"])
    assert task.planted is not None
    assert len(list(task.users())) == 3


def test_fitted_users_are_written_with_how_like_they_are(tmp_path: Path) -> None:
    source = make_planted(PlantedOptions(users=12), str(tmp_path / "real"))["folder"]
    told = make_dataset(source, 20, 0, str(tmp_path / "fitted"))
    assert told["fidelity"]["shared_histories"] == 0
    names = [row[0] for row in told["rows"]]
    assert "polarities" in names
    task = open_task(told["folder"])
    assert task.planted is None
    assert task.signals.kinds == TASK.signals.kinds
    assert {name for own in task.categories.values() for name in own} <= set(SMALL.names)


def test_folders_that_hold_something_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").touch()
    for make in (
        lambda: make_planted(PlantedOptions(), str(tmp_path)),
        lambda: make_dataset("planted", 9, 0, str(tmp_path / "letter.txt")),
    ):
        with pytest.raises(BadInput, match="already"):
            make()


def test_verdicts_of_a_run_and_of_counting_agree_with_a_survey_of_the_truth(tmp_path: Path) -> None:
    asked = survey(tmp_path / "survey.csv")
    folder = run(TASK, Simulated("oracle", WORLD), TRUTH, tmp_path / "run", OPTIONS)
    taxonomy = tmp_path / "taxonomy.csv"
    rows = [f"{number},{name}" for number, name in enumerate(SMALL.names, 1)]
    taxonomy.write_text("\n".join(["category_id,category_name", *rows]))
    told = validate_interests(str(folder), asked, taxonomy=str(taxonomy))
    assert (told["users"], told["compared"], told["unknown_users"]) == (6, 42, 0)
    assert told["measures"]["agreement"]["value"] == 1
    world = make_planted(WORLD.options, str(tmp_path / "world"))["folder"]
    assert validate_interests(world, asked)["measures"]["agreement"]["value"] == 1
    assert len(told["rows"]) == len(told["measures"])
