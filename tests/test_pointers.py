"""A pointer names one artefact beside it, moves whole, and notices another under the same name."""

import hashlib
import shutil
from pathlib import Path

import pytest

from tastemaker import artifacts, files, pointers
from tastemaker.errors import ArtefactError

SUM = hashlib.sha256(b"x").hexdigest()


def make(folder: Path, seed: int = 0) -> Path:
    with artifacts.staged(folder, "thing", {"seed": seed}) as partial:
        files.write_json(partial / "config.json", {"seed": seed})
    return folder


@pytest.mark.parametrize(
    "text", ["", "a", "../a", "/etc", ".", "..", "a/b", "a\0b", "n" * 300, "a " + "0" * 63, "\xff"]
)
def test_damaged_pointers_are_refused(tmp_path: Path, text: str) -> None:
    make(tmp_path / "a")
    for suffix in ("", "\n", f" {SUM}x\n"):
        (tmp_path / "latest").write_text(text + suffix)
        with pytest.raises(ArtefactError, match="damaged"):
            pointers.pointed(tmp_path / "latest")


@pytest.mark.parametrize("name", ["../a", "/etc", "", "..", "a/b", "n" * 300])
def test_pointers_cannot_leave_their_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "latest").write_text(f"{name} {SUM}\n")
    with pytest.raises(ArtefactError, match="damaged"):
        pointers.pointed(tmp_path / "latest")


def test_pointers_that_are_no_files_of_their_own_are_refused(tmp_path: Path) -> None:
    make(tmp_path / "a")
    pointers.point(tmp_path / "elsewhere", "a")
    (tmp_path / "latest").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtefactError, match="link"):
        pointers.pointed(tmp_path / "latest")
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").mkdir()
    with pytest.raises(ArtefactError, match="damaged"):
        pointers.pointed(tmp_path / "latest")


def test_pointers_move(tmp_path: Path) -> None:
    assert pointers.pointed(tmp_path / "latest") is None
    for seed, name in enumerate(("step-1", "step-2")):
        make(tmp_path / name, seed)
        pointers.point(tmp_path / "latest", name)
        assert pointers.pointed(tmp_path / "latest") == tmp_path / name


def test_a_pointer_notices_another_folder_under_its_name(tmp_path: Path) -> None:
    make(tmp_path / "a", 0)
    pointers.point(tmp_path / "latest", "a")
    (tmp_path / "a").rename(tmp_path / "b")
    with pytest.raises(ArtefactError):
        pointers.pointed(tmp_path / "latest")
    make(tmp_path / "a", 1)
    with pytest.raises(ArtefactError, match="replaced"):
        pointers.pointed(tmp_path / "latest")
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "a").symlink_to(tmp_path / "b")
    with pytest.raises(ArtefactError, match="link"):
        pointers.pointed(tmp_path / "latest")
