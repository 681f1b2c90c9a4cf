"""Evidence is counted in code, or read from what a run kept of each user."""

from pathlib import Path

import pytest

from tastemaker import records
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.understand.survey_evidence import by_counting, of_run
from tastemaker.understand.task_paths import planted_task
from tastemaker.understand.taxonomy import Taxonomy
from tastemaker.worlds.planted_interests import PlantedOptions, plant_users

LIKED, SEEN, PASSED = ["explicit_positive"], ["implicit_positive"], ["implicit_negative"]
SAMPLE = {
    "user": "u",
    "kinds": [*LIKED, *SEEN, *PASSED],
    "judged": True,
    "seen": {"a": LIKED, "b": LIKED, "c": SEEN, "d": PASSED},
    "interests": [
        {"name": "Green tea", "category": 1, "cited": ["a", "b", "c"], "relevant": ["a", "b", "d"]},
        {"name": "Chess", "category": 0, "cited": ["a", "b"], "relevant": ["a", "c"]},
        {"name": "Pottery", "category": 0, "cited": ["a", "x"], "relevant": None},
        {"name": "Knots", "category": 0, "cited": ["a", "b"], "relevant": ["a", "b"],
         "problem": "unread"},
    ],
}  # fmt: skip


def test_counted_interests_are_the_planted_ones() -> None:
    world = plant_users(PlantedOptions(users=3))
    task = planted_task(world)
    assert task.taxonomy is not None
    found = by_counting(task)
    for user, own in found.verified.items():
        verified = {task.taxonomy.number(name) for name, much in own.items() if much}
        assert verified == world.oracle[user]
    bare = planted_task(world)
    object.__setattr__(bare, "categories", {})
    with pytest.raises(BadInput):
        by_counting(bare)


def test_a_run_tells_its_verified_interests(tmp_path: Path) -> None:
    records.append(tmp_path / "samples.jsonl", SAMPLE)
    records.append(tmp_path / "samples.jsonl", SAMPLE | {"user": "v", "judged": False})
    records.append(tmp_path / "samples.jsonl", SAMPLE | {"user": "w", "seen": None})
    taxonomy = Taxonomy(("Tea",))
    found = of_run(tmp_path, taxonomy)
    assert found.verified["u"] == {"Green tea": 2, "Chess": 0, "Pottery": 0, "Knots": 0}
    assert found.verified["v"] == {"Green tea": 3, "Chess": 2, "Pottery": 0, "Knots": 0}
    assert set(found.verified["w"].values()) == {0}
    assert found.known == {taxonomy.key("green tea"): 1}
    assert of_run(tmp_path).known == {}


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput):
        of_run(tmp_path)
    records.append(tmp_path / "samples.jsonl", SAMPLE | {"interests": [{"name": "Tea"}]})
    with pytest.raises(ArtefactError):
        of_run(tmp_path)
