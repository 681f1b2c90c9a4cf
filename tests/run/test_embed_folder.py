"""A folder of a training is told from a model's, and is whole or refused."""

import shutil
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError
from tastemaker.run.embed_folder import finished, is_run


def test_a_run_is_told_from_a_model(embedded: tuple[Path, Path], tmp_path: Path) -> None:
    run = embedded[1]
    assert is_run(run) and not is_run(run / "model") and not is_run(tmp_path)
    assert finished(run)["run"] == str(run)


@pytest.mark.parametrize(
    "name", ["results.json", "model/embedding.json", "model/tokenizer.json", "report.html"]
)
def test_a_file_that_was_changed_or_is_gone_is_named(
    embedded: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    run = shutil.copytree(embedded[1], tmp_path / "run")
    (run / name).write_bytes((run / name).read_bytes() + b" ")
    with pytest.raises(ArtefactError, match=name):
        finished(run)
    (run / name).unlink()
    with pytest.raises(ArtefactError):
        finished(run)


def test_a_file_that_was_slipped_in_is_refused(embedded: tuple[Path, Path], tmp_path: Path) -> None:
    run = shutil.copytree(embedded[1], tmp_path / "run")
    (run / "model" / "more.json").write_text("{}")
    with pytest.raises(ArtefactError):
        finished(run)


def test_a_training_that_has_not_ended_says_how_it_goes_on(
    embedded: tuple[Path, Path], tmp_path: Path
) -> None:
    run = shutil.copytree(embedded[1], tmp_path / "run")
    (run / "manifest.json").unlink()
    with pytest.raises(ArtefactError) as fault:
        finished(run)
    assert "--resume" in fault.value.fix
