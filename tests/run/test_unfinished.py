"""A folder without a finished run says what it is, and the command it gives makes it one."""

import json
import shlex
import shutil
from pathlib import Path

import pytest

from tastemaker.artifacts import MANIFEST
from tastemaker.cli import main
from tastemaker.commands.parsing import parse
from tastemaker.commands.run import train
from tastemaker.config import to_json
from tastemaker.errors import ArtefactError
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.run.compare import compare_runs, evaluate_run
from tastemaker.run.saved import open_run
from tastemaker.run.unfinished import going_on


def refusal(run: Path) -> ArtefactError:
    """What every reader of runs says of a folder."""
    said = []
    for call in (open_run, evaluate_run, lambda path: compare_runs(path, path)):
        with pytest.raises(ArtefactError) as caught:
            call(run)
        said.append(caught.value)
    assert len({str(error) for error in said}) == 1
    assert said[0].where == str(run)
    return said[0]


def test_nothing_a_file_and_a_folder_of_something_else(small_data: Path, tmp_path: Path) -> None:
    error = refusal(tmp_path / "no such")
    assert error.got == "nothing"
    assert f"tastemaker run --out '{tmp_path / 'no such'}'" in error.fix
    (tmp_path / "file").write_text("x")
    assert refusal(tmp_path / "file").got == "a file"
    assert refusal(small_data).got == "interactions.csv, items.parquet"
    (tmp_path / "model").mkdir()
    assert refusal(tmp_path / "model").got == "an empty folder"
    (tmp_path / "model" / "config.json").write_text('{"model_type": "bert"}')
    assert "no run directory" in refusal(tmp_path / "model").what
    assert "Restore" not in refusal(tmp_path / "model").fix


def test_runs_inside_a_folder_are_named(finished_run: Path) -> None:
    assert str(finished_run) in refusal(finished_run.parent).fix


def test_the_command_finishes_an_unfinished_run(
    finished_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "a run"))
    before = open_run(run).recommend("u1", 5)
    (run / MANIFEST).unlink()
    error = refusal(run)
    assert "not finished" in error.what
    command = shlex.split(error.fix.partition("go on with: ")[2])
    assert command[0] == "tastemaker"
    assert command[-1] == "--resume"
    assert main(command[1:]) == 0
    assert open_run(run).recommend("u1", 5) == before


def test_without_all_that_began_it_there_is_no_command(finished_run: Path, tmp_path: Path) -> None:
    config = json.loads((finished_run / "config.json").read_text())
    assert going_on(tmp_path, config)
    assert "--repeats" in going_on(tmp_path, config | {"repeats": True})
    for other in ({"model": "no such"}, {"fit": None}, {"knobs": {"ease": {"weight": 1.0}}},
                  {"model_config": {"kinds": [1]}}):  # fmt: skip
        assert going_on(tmp_path, config | other) == ""
    (tmp_path / "checkpoints").mkdir()
    assert "--resume" in refusal(tmp_path).fix


def test_the_command_says_every_option_that_is_not_at_its_default(
    finished_run: Path, tmp_path: Path
) -> None:
    config = json.loads((finished_run / "config.json").read_text())
    shape = HSTUConfig(dim=32, position_bias=False, time="none")
    changed = {"model": "hstu", "model_config": to_json(shape), "on_bad_rows": "drop"}
    words = shlex.split(going_on(tmp_path, config | changed))
    assert words[:3] == ["tastemaker", "train", "hstu"]
    assert "--model.no-position-bias" in words
    assert words[words.index("--model.dim") + 1] == "32"
    assert words[words.index("--model.time") + 1] == "none"
    assert words[words.index("--on-bad-rows") + 1] == "drop"
    assert words[words.index("--out") + 1] == str(tmp_path)
    assert "--model.heads" not in words  # it is at its default
    verb = train("hstu", "HSTU").make(words[3:])
    options = parse("train hstu", verb, words[3:]).options
    assert options.model == shape
    assert options.fit.epochs == config["fit"]["epochs"]
