"""A folder is whole or does not exist; any change to it is noticed before it is read."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker import artifacts
from tastemaker.data.arrow import open_arrow
from tastemaker.errors import ArtefactError, OutOfResources


def make(folder: Path, seed: int = 0) -> Path:
    with artifacts.staged(folder, "thing", {"seed": seed}) as at:
        generator = torch.Generator().manual_seed(seed)
        tensors = {"w": torch.randn(20, 3, generator=generator), "n": torch.arange(5)}
        artifacts.save_tensors(at / "model.safetensors", tensors)
        artifacts.write_json(at / "config.json", {"seed": seed})
    return folder


def test_a_round_trip_is_exact(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    assert artifacts.verify(folder, "thing") == {"seed": 0}
    tensors = artifacts.load_tensors(folder / "model.safetensors")
    assert torch.equal(tensors["n"], torch.arange(5))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


def test_tensors_that_share_memory_or_view_a_part_of_it_are_saved(tmp_path: Path) -> None:
    tied, whole = torch.randn(4, 3), torch.arange(60).view(6, 10)
    tensors = {"a": tied, "b": tied, "row": whole[2], "column": whole[:, 3], "none": tied[:0]}
    alone = {"part": torch.arange(9.0)[3:6], "turned": torch.randn(2, 5).T}
    for name, given in (("shared", tensors), ("alone", alone)):
        artifacts.save_tensors(tmp_path / name, given)
        found = artifacts.load_tensors(tmp_path / name)
        assert found.keys() == given.keys()
        assert all(torch.equal(found[key], given[key]) for key in given)


def test_saving_makes_no_second_copy(tmp_path: Path) -> None:
    script = """
import resource, sys, torch
from pathlib import Path
from tastemaker import artifacts
folder = Path(sys.argv[1])
artifacts.save_tensors(folder / "small", {"w": torch.ones(9)})
large = torch.ones(50_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
artifacts.save_tensors(folder / "large", {"w": large})
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(ran.stdout) < 100, "the tensor has 200 MB"


def test_equal_contents_are_equal_bytes(tmp_path: Path) -> None:
    one, two = make(tmp_path / "a"), make(tmp_path / "b")
    for name in ("model.safetensors", "config.json", "manifest.json"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_published_folders_are_never_overwritten(tmp_path: Path) -> None:
    make(tmp_path / "a")
    with pytest.raises(ArtefactError, match="exists"):
        make(tmp_path / "a")


def test_a_failing_writer_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), artifacts.staged(tmp_path / "a", "thing", {}) as at:
        (at / "half").write_text("half")
        raise RuntimeError
    assert list(tmp_path.iterdir()) == []


def test_every_flipped_byte_is_noticed(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    rng = np.random.default_rng(0)
    for path in [p for p in folder.iterdir() if p.name != "manifest.json"]:
        good = path.read_bytes()
        for at in rng.integers(0, len(good), 100):
            bad = bytearray(good)
            bad[at] ^= 1 << int(rng.integers(8))
            path.write_bytes(bad)
            with pytest.raises(ArtefactError) as caught:
                artifacts.verify(folder, "thing")
            assert path.name in caught.value.file
        path.write_bytes(good)
    artifacts.verify(folder, "thing")


def test_every_flipped_byte_of_the_manifest_is_noticed_or_harmless(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    path = folder / "manifest.json"
    good = path.read_bytes()
    rng, noticed = np.random.default_rng(1), 0
    for at in rng.integers(0, len(good), 200):
        bad = bytearray(good)
        bad[at] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        try:
            artifacts.verify(folder, "thing")
        except ArtefactError:
            noticed += 1
        # What stays valid can only be white space or the free `meta`: the files were checked.
    assert noticed > 150


@pytest.mark.parametrize("cut", [0, 1, 0.5, -1])
def test_truncation_is_noticed(tmp_path: Path, cut: float) -> None:
    for name in ("model.safetensors", "config.json", "manifest.json"):
        folder = make(tmp_path / name)
        raw = (folder / name).read_bytes()
        size = int(len(raw) * cut) if isinstance(cut, float) else cut % len(raw)
        if name == "manifest.json" and cut == -1:
            size -= 1  # the last byte is a newline
        (folder / name).write_bytes(raw[:size])
        with pytest.raises(ArtefactError):
            artifacts.verify(folder, "thing")


def test_missing_and_swapped_files_are_noticed(tmp_path: Path) -> None:
    one, two = make(tmp_path / "a", 0), make(tmp_path / "b", 1)
    for name in ("model.safetensors", "config.json", "manifest.json"):
        broken = Path(shutil.copytree(one, tmp_path / f"gone-{name}"))
        (broken / name).unlink()
        with pytest.raises(ArtefactError):
            artifacts.verify(broken, "thing")
        swapped = Path(shutil.copytree(one, tmp_path / f"swapped-{name}"))
        shutil.copy(two / name, swapped / name)
        with pytest.raises(ArtefactError):
            artifacts.verify(swapped, "thing")


@pytest.mark.parametrize("schema", [artifacts.SCHEMA - 1, artifacts.SCHEMA + 1, "1", None])
def test_other_schemas_and_kinds_are_refused(tmp_path: Path, schema: object) -> None:
    folder = make(tmp_path / "a")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_text(json.dumps(manifest | {"schema": schema}))
    with pytest.raises(ArtefactError, match="schema"):
        artifacts.verify(folder, "thing")
    other = make(tmp_path / "b")
    with pytest.raises(ArtefactError, match="something else"):
        artifacts.verify(other, "run")


@pytest.mark.parametrize(
    "manifest",
    ["[]", "{}", '{"files": []}', '{"files": {"a": 1}, "meta": {}}', "x" * 10, "[" * 99999],
)
def test_damaged_manifests_end_in_the_one_error(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(ArtefactError):
        artifacts.verify(tmp_path, "thing")


def test_a_manifest_cannot_reach_outside(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["../canary"] = {"bytes": 1, "sha256": "0"}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (tmp_path / "canary").write_text("x")
    with pytest.raises(ArtefactError, match="damaged"):
        artifacts.verify(folder, "thing")


@pytest.mark.parametrize("name", ["../a", "/etc", "", ".", "..", "a/b", "a\0b"])
def test_pointers_cannot_leave_their_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "latest").write_text(name)
    with pytest.raises(ArtefactError, match="damaged"):
        artifacts.pointed(tmp_path / "latest")


def test_pointers_move(tmp_path: Path) -> None:
    assert artifacts.pointed(tmp_path / "latest") is None
    for name in ("step-1", "step-2"):
        artifacts.point(tmp_path / "latest", name)
        assert artifacts.pointed(tmp_path / "latest") == tmp_path / name


def test_stale_partial_folders_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".partial-a-1").mkdir()
    (tmp_path / ".partial-b-1").write_text("")
    (tmp_path / "kept").mkdir()
    assert len(artifacts.sweep(tmp_path)) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert artifacts.sweep(tmp_path / "none") == []


@pytest.mark.parametrize(
    "content", [b"", b"\x80\x04pickle", b"\x08" + b"\0" * 7 + b"{}{}{}{}", b"x" * 99]
)
def test_files_that_are_not_safetensors(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.safetensors").write_bytes(content)
    with pytest.raises(ArtefactError):
        artifacts.load_tensors(tmp_path / "m.safetensors")
    with pytest.raises(ArtefactError):
        open_arrow(tmp_path / "m.safetensors")
    with pytest.raises(ArtefactError):
        artifacts.load_tensors(tmp_path / "none")


def test_non_finite_json_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        artifacts.write_json(tmp_path / "a.json", {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_full_or_read_only_disk_names_path_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def fail(*args: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OutOfResources) as caught:
        artifacts.write_text(tmp_path / "file", "12345")
    assert caught.value.exit_code == 5
    assert "5 bytes" in caught.value.what
    assert str(tmp_path / "file") in caught.value.where
    assert list(tmp_path.iterdir()) == []


def test_other_system_errors_stay_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        artifacts.write_text(tmp_path / "none" / "file", "x")
