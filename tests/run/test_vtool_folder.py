"""A folder is told to be such a run, or a model, by what stands in it."""

import json
from pathlib import Path

import pytest

pytest.importorskip("transformers", reason="needs tastemaker[llm]")

from tastemaker.errors import ArtefactError
from tastemaker.run.vtool_folder import beside, finished, is_run, learned_model


def test_a_run_is_no_model_and_a_model_no_run(tmp_path: Path) -> None:
    assert not is_run(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llava"}))
    assert not is_run(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"vtool": {}}))
    assert is_run(tmp_path)


def test_what_is_not_sealed_has_not_ended(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"vtool": {}}))
    with pytest.raises(ArtefactError, match="not ended"):
        learned_model(tmp_path)
    with pytest.raises(ArtefactError):
        finished(tmp_path)


def test_files_of_the_model_and_of_examples_belong_to_it(tmp_path: Path) -> None:
    for name in ("model/a.json", "examples/0.png", "checkpoints/x"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("")
    assert beside(tmp_path) == ["model/a.json", "examples/0.png"]
