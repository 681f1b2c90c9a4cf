"""A folder is whole or does not exist; any change to it is noticed before it is read."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError


def make(folder: Path, seed: int = 0) -> Path:
    with artifacts.staged(folder, "thing", {"seed": seed}) as at:
        generator = torch.Generator().manual_seed(seed)
        tensors = {"w": torch.randn(20, 3, generator=generator), "n": torch.arange(5)}
        files.save_tensors(at / "model.safetensors", tensors)
        files.write_json(at / "config.json", {"seed": seed})
    return folder


def test_a_round_trip_is_exact(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    assert artifacts.verify(folder, "thing") == {"seed": 0}
    tensors = files.load_tensors(folder / "model.safetensors")
    assert torch.equal(tensors["n"], torch.arange(5))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a"]


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
