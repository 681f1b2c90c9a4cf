"""Where a run is written, and by whom."""

import subprocess
import sys
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.options import RunOptions
from tastemaker.run.folder import only_writer, run_folder
from tastemaker.run.job import run_recommender


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
