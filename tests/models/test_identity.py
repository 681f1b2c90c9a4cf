"""A model's identity follows its files, and is remembered."""

import os
from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.files import sha256_file
from tastemaker.models import identity
from tastemaker.models.identity import identity_of, model_identity
from tastemaker.models.packaged import cache_folder


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    place = tmp_path / "model"
    place.mkdir()
    (place / "config.json").write_text("{}")
    (place / "model.safetensors").write_bytes(b"weights")
    return place


def test_it_is_of_contents_and_not_of_places(folder: Path) -> None:
    first = model_identity(folder)
    assert len(first) == 64
    (folder / "README.md").write_text("words")
    (folder / "manifest.json").write_text("{}")
    assert model_identity(folder.rename(folder.with_name("moved"))) == first


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "vocab.txt"])
def test_any_part_changes_it(folder: Path, name: str) -> None:
    first = model_identity(folder)
    (folder / name).write_text("other")
    assert model_identity(folder) != first


def test_files_are_read_again_only_when_they_changed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counted(path: Path) -> str:
        read.append(path.name)
        return sha256_file(path)

    monkeypatch.setattr(identity, "sha256_file", counted)
    first = model_identity(folder)
    assert read == ["config.json", "model.safetensors"]
    assert model_identity(folder) == first and len(read) == 2
    os.utime(folder / "model.safetensors", ns=(1, 1))
    assert model_identity(folder) == first and read[2:] == ["model.safetensors"]


@pytest.mark.parametrize("memo", ["{", "[]", '{"config.json": 3}', '{"config.json": [1]}'])
def test_a_damaged_memory_is_forgotten(folder: Path, memo: str) -> None:
    first = model_identity(folder)
    (place,) = (cache_folder() / "identities").iterdir()
    place.write_text(memo)
    assert model_identity(folder) == first


def test_a_cache_that_cannot_be_written_costs_only_time(folder: Path) -> None:
    cache_folder().write_text("a file stands in the way")
    assert len(model_identity(folder)) == 64


def test_a_folder_without_safetensors_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(BadInput, match="safetensors"):
        model_identity(folder)


def test_options_are_part_of_an_identity() -> None:
    assert identity_of("m", {"a": 1, "b": 2}) == identity_of("m", {"b": 2, "a": 1})
    assert len({identity_of("m", {"a": 1}), identity_of("m", {"a": 2}), identity_of("n", {})}) == 3
