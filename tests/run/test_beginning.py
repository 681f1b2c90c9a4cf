"""A folder is begun in, gone on with as itself, or refused."""

import json
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError, BadInput
from tastemaker.run.beginning import begin, taken


def test_a_folder_is_fresh_once(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert taken(folder, {"seed": 1}, resume=False)
    folder.mkdir()
    assert taken(folder, {"seed": 1}, resume=False)
    with pytest.raises(BadInput):
        taken(folder, {"seed": 1}, resume=True)
    (folder / "config.json").write_text(json.dumps({"seed": 1, "commit": "x"}))
    assert not taken(folder, {"seed": 1}, resume=True)
    with pytest.raises(BadInput):
        taken(folder, {"seed": 1}, resume=False)
    with pytest.raises(ArtefactError) as fault:
        taken(folder, {"seed": 2}, resume=True)
    assert "seed" in fault.value.what


def test_what_is_settled_and_told_is_written_once(tmp_path: Path) -> None:
    folder, asked = tmp_path / "run", iter(["first", "second"])
    for resume in (False, True):
        begin(folder, {"seed": 1}, resume, lambda: {"version": next(asked)})
    assert json.loads((folder / "config.json").read_text()) == {"seed": 1, "version": "first"}
