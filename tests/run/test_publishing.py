"""A new run takes a place, is taken back, and whatever kills it leaves a run that is whole."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker.artifacts import MANIFEST
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.run.folder import FINISHED, only_writer, seal_run, train_on, version_of
from tastemaker.run.publishing import (
    discard_next,
    held,
    next_run,
    roll_back,
    run_before,
    take_place,
)
from tastemaker.run.saved import open_run

ROOT = Path(__file__).parents[2]
TURNS = r"rename run\.leaving|rmtree|rename run/(config|manifest|events)|remove run/manifest"
"""Changes of the disk that decide which run stands where, and a few between them."""


def another(run: Path, place: Path, name: str) -> Path:
    """The same run under another version."""
    made = Path(shutil.copytree(run, place))
    seal_run(made, {"best": name})
    return made


@pytest.fixture
def run(finished_run: Path, tmp_path: Path) -> Path:
    """A run, and beside it one that may take its place."""
    placed = another(finished_run, tmp_path / "run", "old")
    another(finished_run, next_run(placed), "new")
    return placed


def test_a_run_takes_the_place_and_the_old_one_comes_back(run: Path) -> None:
    old, new, made = version_of(run), version_of(next_run(run)), open_run(run).recommend("u1")
    (run / "checkpoints").mkdir(exist_ok=True)
    (run / "user_states.sqlite").write_text("of the weights before")
    (run / "user_model.json").write_text("{}")
    (run / "notes.txt").write_text("mine")
    with held(run):
        take_place(run, next_run(run))
    assert (version_of(run), version_of(run_before(run))) == (new, old)
    assert open_run(run).recommend("u1") == made == open_run(run_before(run)).recommend("u1")
    names = {path.name for path in run.iterdir()}
    assert "notes.txt" in names
    assert not names & {"checkpoints", "user_states.sqlite", "user_model.json", FINISHED}
    for there, back in ((old, new), (new, old)):
        with held(run):
            roll_back(run)
        assert (version_of(run), version_of(run_before(run))) == (there, back)
    assert sorted(path.name for path in run.parent.iterdir()) == ["run", "run.before", "run.next"]


def test_who_reads_the_old_run_reads_on(run: Path) -> None:
    saved = open_run(run)
    log = saved.data.interactions.items.tolist()
    with held(run):
        take_place(run, next_run(run))
    assert saved.data.interactions.items.tolist() == log and saved.recommend("u1").items


def test_without_a_run_before_there_is_no_way_back(run: Path) -> None:
    with pytest.raises(BadInput, match="no run to go back to"), held(run):
        roll_back(run)
    shutil.copytree(run, run_before(run))  # the very same
    with pytest.raises(BadInput, match="no run to go back to"), held(run):
        roll_back(run)


def test_damaged_runs_change_nothing(run: Path) -> None:
    old = version_of(run)
    (next_run(run) / "results.json").write_text("{}")
    with pytest.raises(ArtefactError), held(run):
        take_place(run, next_run(run))
    assert version_of(run) == old and not run_before(run).exists()
    with pytest.raises(ArtefactError), held(run.parent / "no such"):
        pass
    assert not (run.parent / "no such").exists()


def test_what_is_no_run_of_an_update_is_not_removed(run: Path) -> None:
    for made in ("nothing", "empty", "begun", "update"):
        shutil.rmtree(next_run(run), ignore_errors=True)
        if made != "nothing":
            (next_run(run) / "checkpoints").mkdir(parents=True)
        if made == "empty":
            (next_run(run) / "checkpoints").rename(next_run(run) / ".partial-config.json-7")
        if made == "update":
            (next_run(run) / "config.json").write_text('{"updated": {"from": "v1"}}')
        if made == "begun":  # by somebody else
            with pytest.raises(BadInput, match="something else"):
                discard_next(run)
            assert next_run(run).exists()
        else:
            discard_next(run)
            assert not next_run(run).exists()
    run_before(run).mkdir()
    (run_before(run) / "mine.txt").write_text("mine")
    old = version_of(run)
    with pytest.raises(BadInput, match="something else"), held(run):
        take_place(run, Path(shutil.copytree(run, run.with_name("other"))))
    assert version_of(run) == old and (run_before(run) / "mine.txt").exists()


def test_a_folder_that_is_written_or_trains_on_is_let_alone(run: Path) -> None:
    with only_writer(run), pytest.raises(BadInput, match="Another process"), held(run):
        pass
    train_on(run)
    with pytest.raises(BadInput, match="trains on"), held(run):
        pass
    assert (run / FINISHED / MANIFEST).exists()


def test_a_file_system_without_links_is_given_copies(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def none(*_: object) -> None:
        raise OSError(1, "no links here")

    monkeypatch.setattr(os, "link", none)
    old, new = version_of(run), version_of(next_run(run))
    with held(run):
        take_place(run, next_run(run))
    open_run(run)
    assert (version_of(run), version_of(run_before(run))) == (new, old)


@pytest.mark.parametrize(
    ("points", "least"),
    [(TURNS, 15), pytest.param(".", 100, marks=pytest.mark.slow)],
    ids=["at turns", "anywhere"],
)
def test_killed_between_two_changes_of_the_disk_one_of_both_stands(
    finished_run: Path, tmp_path: Path, points: str, least: int
) -> None:
    versions = {
        name: version_of(another(finished_run, tmp_path / name, name))
        for name in ("older", "old", "new")
    }
    for name in versions:  # fewer and smaller files to copy
        shutil.rmtree(tmp_path / name / "checkpoints", ignore_errors=True)
    command = [sys.executable, "-m", "tests.run.killed_publications", str(tmp_path), points]
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    old, new, older = versions["old"], versions["new"], versions["older"]
    assert {answer["work"] for answer in answers} == {"published", "rolled_back"}
    assert len(answers) >= least
    for answer in answers:
        forward = answer["work"] == "published"
        was, then = (old, new) if forward else (new, old)
        assert answer["killed"], answer
        assert answer["after"] in (was, then), answer
        assert "finished" not in answer["inside"], answer
        if forward:
            # What was there before goes only when the new run stands.
            assert answer["after"] == new or answer["before"] == older, answer
            assert answer["again"] == 0, answer
        if answer["after"] == was:
            assert (answer["run"], answer["kept"]) == (then, was), answer
        assert {answer["run"], answer["kept"]} == {old, new}, answer
        assert set(answer["names"]) <= {"changes", "run", "run.before", "run.next"}, answer
