"""A folder is whole or does not exist; any change to it is noticed before it is read."""

import errno
import hashlib
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError


def make(folder: Path, seed: int = 0) -> Path:
    with artifacts.staged(folder, "thing", {"seed": seed}) as partial:
        generator = torch.Generator().manual_seed(seed)
        tensors = {"w": torch.randn(20, 3, generator=generator), "n": torch.arange(5)}
        files.save_tensors(partial / "model.safetensors", tensors)
        files.write_json(partial / "config.json", {"seed": seed})
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


def test_every_flipped_byte_of_the_manifest_is_noticed(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    path = folder / "manifest.json"
    good = path.read_bytes()
    rng = np.random.default_rng(1)
    for place in range(len(good)):
        bad = bytearray(good)
        bad[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(bad)
        with pytest.raises(ArtefactError):
            artifacts.verify(folder, "thing")
        with pytest.raises(ArtefactError):
            artifacts.meta_of(folder)
    path.write_bytes(good)
    artifacts.verify(folder, "thing")


@pytest.mark.parametrize("cut", [0, 1, 0.5, -1])
def test_truncation_is_noticed(tmp_path: Path, cut: float) -> None:
    for name in ("model.safetensors", "config.json", "manifest.json"):
        folder = make(tmp_path / name)
        raw = (folder / name).read_bytes()
        size = int(len(raw) * cut) if isinstance(cut, float) else cut % len(raw)
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


@pytest.mark.parametrize(
    "schema", [artifacts.SCHEMA - 1, artifacts.SCHEMA + 1, "2", 2.0, True, None]
)
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
    [
        "[]", "{}", '{"files": []}', '{"files": {"a": 1}, "meta": {}}', "x" * 10, "[" * 99999,
        '{"schema": 2}', '{"schema": 2, "meta": NaN}', '{"schema": 2, "meta": "\\ud800"}',
        '{"schema": 2, "meta": ' + "[" * 900 + "]" * 900 + "}",
    ],
)  # fmt: skip
def test_damaged_manifests_end_in_the_one_error(tmp_path: Path, manifest: str) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    with pytest.raises(ArtefactError):
        artifacts.verify(tmp_path, "thing")


def forge(folder: Path, **changes: object) -> None:
    """Change a manifest as somebody would who knows how its digest is made."""
    path = folder / "manifest.json"
    body = json.loads(path.read_text()) | changes
    del body["digest"]
    digest = hashlib.sha256(files.json_text(body).encode()).hexdigest()
    path.write_text(files.json_text(body | {"digest": digest}))


SUM = hashlib.sha256(b"x").hexdigest()


@pytest.mark.parametrize(
    "listed",
    [
        {}, [], None, {"canary": 1}, {"canary": {"bytes": 1}}, {"canary": {"sha256": SUM}},
        {"canary": {"bytes": True, "sha256": SUM}}, {"canary": {"bytes": -1, "sha256": SUM}},
        {"canary": {"bytes": 1.0, "sha256": SUM}}, {"canary": {"bytes": 1, "sha256": "0"}},
        {"canary": {"bytes": 1, "sha256": None}}, {"canary": {"bytes": 1, "sha256": SUM, "x": 1}},
        {"../canary": {"bytes": 1, "sha256": SUM}}, {"/canary": {"bytes": 1, "sha256": SUM}},
        {"a/../../canary": {"bytes": 1, "sha256": SUM}}, {"": {"bytes": 1, "sha256": SUM}},
        {"n" * 300: {"bytes": 1, "sha256": SUM}}, {"can\0ary": {"bytes": 1, "sha256": SUM}},
    ],
)  # fmt: skip
def test_a_forged_list_of_files_is_refused(tmp_path: Path, listed: object) -> None:
    folder = make(tmp_path / "a")
    for place in (tmp_path, folder):
        (place / "canary").write_text("x")
    forge(folder, files=listed)
    with pytest.raises(ArtefactError, match="damaged"):
        artifacts.verify(folder, "thing")


@pytest.mark.parametrize("changes", [{"kind": 1}, {"meta": []}, {"meta": None}, {"more": 1}])
def test_a_forged_manifest_of_another_form_is_refused(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    folder = make(tmp_path / "a")
    forge(folder, **changes)
    with pytest.raises(ArtefactError, match="damaged"):
        artifacts.verify(folder, "thing")


def test_names_that_stand_twice_are_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    path = folder / "manifest.json"
    path.write_text(path.read_text().replace('"kind"', '"kind": "thing",\n  "kind"', 1))
    with pytest.raises(ArtefactError, match="damaged"):
        artifacts.verify(folder, "thing")


def test_what_an_artefact_must_consist_of_can_be_said(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    artifacts.verify(folder, "thing", ("config.json", "model.safetensors"))
    for names in (("config.json",), ("config.json", "model.safetensors", "more")):
        with pytest.raises(ArtefactError, match="other files"):
            artifacts.verify(folder, "thing", names)


def test_only_what_is_named_is_sealed(tmp_path: Path) -> None:
    folder = make(tmp_path / "a")
    (folder / ".partial-config.json-1").write_text("left by a kill")
    artifacts.seal(folder, "thing", {}, ["config.json", "model.safetensors"])
    (folder / ".partial-config.json-1").unlink()
    artifacts.verify(folder, "thing", ("config.json", "model.safetensors"))


@pytest.mark.parametrize("name", ["config.json", "manifest.json", "model.safetensors"])
def test_a_link_in_place_of_a_file_is_refused(tmp_path: Path, name: str) -> None:
    folder = make(tmp_path / "a")
    (folder / name).rename(tmp_path / "elsewhere")
    (folder / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtefactError, match="link"):
        artifacts.verify(folder, "thing")


def test_a_link_on_the_way_to_a_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "a"
    with artifacts.staged(folder, "thing", {}) as partial:
        (partial / "inner").mkdir()
        (partial / "inner" / "file").write_text("x")
    artifacts.verify(folder, "thing")
    (folder / "inner").rename(tmp_path / "elsewhere")
    (folder / "inner").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArtefactError, match="link"):
        artifacts.verify(folder, "thing")


@pytest.mark.parametrize("links", [True, False])
def test_what_is_kept_outlives_the_first_place(
    tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*names: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    folder = make(tmp_path / "a")
    (folder / "stray").write_text("no part of it")
    if not links:
        monkeypatch.setattr(os, "link", refuse)
    artifacts.keep(folder, tmp_path / "kept")
    for path in folder.iterdir():
        path.unlink()
        path.write_text("new")
    assert artifacts.verify(tmp_path / "kept", "thing") == {"seed": 0}
    names = {path.name for path in (tmp_path / "kept").iterdir()}
    assert names == {"config.json", "model.safetensors", "manifest.json"}


def test_an_artefact_is_laid_over_a_place_its_manifest_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = make(tmp_path / "one", 1), make(tmp_path / "two", 2)
    (one / "mine.txt").write_text("mine")
    artifacts.keep(one, tmp_path / "kept")
    moved: list[str] = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda f, to: (moved.append(to.name), replace(f, to))[1])
    (one / artifacts.MANIFEST).unlink()
    artifacts.put(two, one)
    assert moved[-1] == artifacts.MANIFEST and len(moved) == 3
    assert artifacts.verify(one, "thing") == {"seed": 2} == artifacts.verify(two, "thing")
    assert artifacts.verify(tmp_path / "kept", "thing") == {"seed": 1}, (
        "shared and not written into"
    )
    assert (one / "mine.txt").exists() and len(list(one.iterdir())) == 4


def test_stale_partial_folders_are_swept(tmp_path: Path) -> None:
    (tmp_path / ".partial-a-1").mkdir()
    (tmp_path / ".partial-a-1" / "half").write_text("half")
    (tmp_path / ".partial-b-1").write_text("")
    (tmp_path / "kept").mkdir()
    (tmp_path / ".partial-c-1").symlink_to(tmp_path / "kept")
    assert len(artifacts.sweep(tmp_path)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]
    assert artifacts.sweep(tmp_path / "none") == []
