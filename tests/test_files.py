"""Single files are whole or not there, and what cannot be written says so."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from tastemaker import files
from tastemaker.data.arrow import open_arrow
from tastemaker.errors import ArtefactError, OutOfResources


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


def test_tensors_that_share_memory_or_view_a_part_of_it_are_saved(tmp_path: Path) -> None:
    tied, whole = torch.randn(4, 3), torch.arange(60).view(6, 10)
    tensors = {"a": tied, "b": tied, "row": whole[2], "column": whole[:, 3], "none": tied[:0]}
    alone = {"part": torch.arange(9.0)[3:6], "turned": torch.randn(2, 5).T}
    for name, given in (("shared", tensors), ("alone", alone)):
        files.save_tensors(tmp_path / name, given)
        found = files.load_tensors(tmp_path / name)
        assert found.keys() == given.keys()
        assert all(torch.equal(found[key], given[key]) for key in given)


def test_saving_makes_no_second_copy(tmp_path: Path) -> None:
    script = """
import resource, sys, torch
from pathlib import Path
from tastemaker import files
folder = Path(sys.argv[1])
files.save_tensors(folder / "small", {"w": torch.ones(9)})
large = torch.ones(50_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
files.save_tensors(folder / "large", {"w": large})
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 100, "the tensor has 200 MB"
