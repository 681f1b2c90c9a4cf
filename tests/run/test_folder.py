"""Where a run is written, and by whom."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.options import RunOptions
from tastemaker.run.compare import compare_runs
from tastemaker.run.folder import (
    FILES,
    FINISHED,
    SETTLED,
    clear_results,
    finished_folder,
    only_writer,
    run_folder,
    seal_run,
    train_on,
    version_of,
)
from tastemaker.run.job import run_recommender
from tastemaker.run.saved import open_run


def test_a_folder_that_holds_something_is_not_touched(small_data: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(BadInput, match="holds something"):
        run_recommender(RunOptions(data=str(small_data), out=str(tmp_path)))
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]


def test_default_folders_count_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run_folder(RunOptions(data="a/b")) == Path("runs/b-sasrec")
    Path("runs/b-sasrec").mkdir(parents=True)
    assert run_folder(RunOptions(data="a/b")) == Path("runs/b-sasrec-2")
    with pytest.raises(BadInput, match="nothing to resume"):
        run_folder(RunOptions(resume=True))


def test_a_folder_has_one_writer_at_a_time(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tastemaker.run.folder import only_writer\n"
        "with only_writer(Path(sys.argv[1])): print('in', flush=True); input()"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "run")]
    other = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "in\n"
        with (
            pytest.raises(BadInput, match="Another process is writing"),
            only_writer(tmp_path / "run"),
        ):
            pass
    finally:
        other.kill()
        other.communicate()
    with only_writer(tmp_path / "run"):  # its end let go, even by force
        pass
    assert not any((tmp_path / "run").iterdir())


def test_what_a_killed_writer_left_is_removed_by_the_next(tmp_path: Path) -> None:
    (tmp_path / ".partial-results.json-7").write_text("half")
    (tmp_path / ".partial-finished-7").mkdir()
    (tmp_path / "mine").write_text("mine")
    with only_writer(tmp_path):
        assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_stray_file_is_no_part_of_a_run(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    (run / "notes.txt").write_text("mine")
    (run / ".partial-results.json-7").write_text("half")
    seal_run(run, {"best": "ease"})
    (run / "notes.txt").unlink()
    (run / ".partial-results.json-7").unlink()
    open_run(run)


def test_a_finished_run_can_be_read_while_its_folder_trains_on(
    finished_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    answer = open_run(run).recommend("u1", 5)
    assert finished_folder(run) == run
    train_on(run)
    train_on(run)  # as after a kill
    for name in FILES:
        (run / name).unlink()
        (run / name).write_text("half of the next run")
    assert open_run(run).recommend("u1", 5) == answer
    assert compare_runs(run, run)["comparison"]["difference"] == 0
    assert compare_runs(run, run)["comparison"]["a"].startswith("run/")
    shutil.copytree(finished_run, run, dirs_exist_ok=True)  # the next run stands
    seal_run(run, {"best": "ease"})
    assert finished_folder(run) == run
    assert not (run / FINISHED).exists()


def test_a_version_is_the_bytes_of_the_finished_run(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    version = version_of(run)
    assert version == version_of(finished_run) and len(version) == 12
    train_on(run)
    assert version_of(run) == version
    with pytest.raises(ArtefactError):
        version_of(tmp_path)


def test_results_are_written_anew_not_into_those_that_are_kept(
    finished_run: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    train_on(run)
    clear_results(run)
    assert {path.name for path in run.iterdir()} == {
        "checkpoints", "config.json", "finished", "metrics.jsonl"
    }  # fmt: skip
    open_run(run)


@pytest.mark.parametrize("lacking", [("model",), ("vocabulary_sha256", "repeats"), SETTLED])
def test_a_config_that_does_not_name_all_is_said_to_lack_it(
    finished_run: Path, tmp_path: Path, lacking: tuple[str, ...]
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    config = json.loads((run / "config.json").read_text())
    kept = {name: value for name, value in config.items() if name not in lacking}
    (run / "config.json").write_text(json.dumps({} if lacking == SETTLED else kept))
    seal_run(run, {"best": "ease"})
    with pytest.raises(ArtefactError) as caught:
        open_run(run)
    assert caught.value.where == str(run / "config.json")
    assert set(caught.value.expected.split(", ")) == set(lacking)
