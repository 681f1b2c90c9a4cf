"""Single files are whole or not there, and what cannot be written says so."""

import errno
import os
from pathlib import Path

import pytest
import torch

from tastemaker import files
from tastemaker.data.arrow import open_arrow
from tastemaker.errors import ArtefactError, BadInput, OutOfResources


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04pickle", b"\x08" + b"\0" * 7 + b"{}{}{}{}", b"x" * 99]
)
def test_files_that_are_not_safetensors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(ArtefactError):
        files.load_tensors(tmp_path / "m.safetensors")
    with pytest.raises(ArtefactError):
        open_arrow(tmp_path / "m.safetensors")
    with pytest.raises(ArtefactError):
        files.load_tensors(tmp_path / "none")


def test_non_finite_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        files.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_names_path_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutOfResources) as caught:
        files.write_text(tmp_path / "file", "12345")
    assert caught.value.exit_code == 5
    assert "5 bytes" in caught.value.what
    assert str(tmp_path / "file") in caught.value.where
    assert list(tmp_path.iterdir()) == []


def test_other_system_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.write_text(tmp_path / "none" / "file", "x")


def test_tensors_are_copied_only_where_they_share_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A copy of every tensor would double the memory that a large model needs while it is saved."""
    import safetensors.torch

    plain, written = safetensors.torch.save_file, {}

    def watch(tensors: dict[str, torch.Tensor], path: Path) -> None:
        written.update(tensors)
        plain(tensors, path)

    monkeypatch.setattr(safetensors.torch, "save_file", watch)
    table = torch.arange(12.0).reshape(4, 3)
    tensors = {
        "own": torch.nn.Parameter(torch.ones(5)),
        "table": table,
        "tied": table,
        "row": table[2],
        "turned": table.T,
        "empty": torch.empty(0, 3),
        "nothing": torch.empty(0),
    }
    files.save_tensors(tmp_path / "m.safetensors", tensors)
    for name in ("own", "table"):
        assert written[name].data_ptr() == tensors[name].data_ptr()
    read = files.load_tensors(tmp_path / "m.safetensors")
    assert all(torch.equal(read[name], tensor) for name, tensor in tensors.items())


def test_a_file_is_replaced_whole_or_left_as_it_was(tmp_path: Path) -> None:
    place = tmp_path / "a.txt"
    place.write_text("old")
    with pytest.raises(RuntimeError), files.replaced(place) as partial:
        partial.write_text("half")
        raise RuntimeError
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert place.read_text() == "old"
    with files.replaced(place) as partial:
        partial.write_text("new")
        assert place.read_text() == "old"
    assert place.read_text() == "new"


def test_devices_pipes_and_long_names_are_refused_unread(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (Path("/dev/zero"), Path("/dev/null"), tmp_path / "pipe", tmp_path / ("x" * 5000)):
        with pytest.raises(BadInput) as caught:
            files.refuse_unreadable(path)
        assert len(str(caught.value)) < 400
    for path in (tmp_path, tmp_path / "none", tmp_path / "pipe" / "in", Path("a\0b")):
        files.refuse_unreadable(path)


def test_what_may_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(BadInput, match="permission"):
        files.refuse_unreadable(tmp_path)
