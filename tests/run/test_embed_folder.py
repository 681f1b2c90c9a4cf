"""A folder of a training is told from a model's, and is whole or refused."""

import json
import shutil
from pathlib import Path

import pytest

from tastemaker.errors import ArtefactError
from tastemaker.run.embed_folder import WRITTEN, finished, is_run


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


def test_each_file_that_is_gone_cut_or_changed_is_named(
    embedded: tuple[Path, Path], tmp_path: Path
) -> None:
    run = shutil.copytree(embedded[1], tmp_path / "run")
    held = [path for name in ("model", "examples") for path in sorted((run / name).iterdir())]
    assert {"model.safetensors", "embedding.json"} < {path.name for path in held}
    for path in [*held, *(run / name for name in WRITTEN)]:
        whole = path.read_bytes()
        for content in (None, b"", whole[:-1], whole[:-1] + bytes([whole[-1] ^ 1])):
            path.unlink(missing_ok=True)
            if content is not None:
                path.write_bytes(content)
            with pytest.raises(ArtefactError) as caught:
                finished(run)
            assert path.relative_to(run).as_posix() in str(caught.value), path
        path.write_bytes(whole)
    assert finished(run)["run"] == str(run)


@pytest.mark.parametrize("name", ["model", "examples"])
def test_a_folder_that_is_gone_is_refused(
    embedded: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    run = shutil.copytree(embedded[1], tmp_path / "run")
    shutil.rmtree(run / name)
    with pytest.raises(ArtefactError):
        finished(run)


def test_a_manifest_of_another_kind_or_none_is_refused(
    embedded: tuple[Path, Path], tmp_path: Path
) -> None:
    run = shutil.copytree(embedded[1], tmp_path / "run")
    told = json.loads((run / "manifest.json").read_text())
    for content in (json.dumps(told | {"kind": "run"}), "{}", "[]", "", None):
        (run / "manifest.json").unlink()
        (run / "manifest.json").write_text(content or "")
        with pytest.raises(ArtefactError):
            finished(run)


def test_a_run_may_be_moved(embedded: tuple[Path, Path], tmp_path: Path) -> None:
    moved = shutil.copytree(embedded[1], tmp_path / "else where é")
    assert finished(moved)["after"] == finished(embedded[1])["after"]


def test_a_training_that_has_not_ended_says_how_it_goes_on(
    embedded: tuple[Path, Path], tmp_path: Path
) -> None:
    run = shutil.copytree(embedded[1], tmp_path / "run")
    (run / "manifest.json").unlink()
    with pytest.raises(ArtefactError) as fault:
        finished(run)
    assert "--resume" in fault.value.fix
