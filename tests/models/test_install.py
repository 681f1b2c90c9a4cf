"""Installing with a pip that never runs, and converting once."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tastemaker.artifacts import staged, verify
from tastemaker.errors import ArtefactError, BadInput, OutOfResources
from tastemaker.models.install import CONVERT, install
from tastemaker.models.packaged import KIND, PACKAGED, Packaged, cache_folder, locate
from tests.models.conftest import WEIGHTS, copy


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


def pip(monkeypatch: pytest.MonkeyPatch, code: int, words: str) -> list[list[str]]:
    calls = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        calls.append(command)
        return subprocess.CompletedProcess(command, code, "", words)

    monkeypatch.setattr(subprocess, "run", run)
    return calls


def test_an_installed_package_is_converted_once(toy: Path) -> None:
    with pytest.raises(BadInput, match="tastemaker models install toy"):
        locate("toy")
    first = install("toy")
    assert first | {"already": True} == install("toy")
    assert not first["already"] and first["licence"] == "MIT"
    assert locate("toy") == Path(first["path"]) == cache_folder() / "models" / "toy-1.0"
    assert verify(locate("toy"), KIND)["name"] == "toy"
    assert first["bytes"] >= len(WEIGHTS)


def test_a_damaged_conversion_is_made_again(toy: Path) -> None:
    weights = Path(install("toy")["path"]) / "model.safetensors"
    weights.write_bytes(b"w")
    assert not install("toy")["already"]
    assert weights.read_bytes() == WEIGHTS


def test_a_faster_process_wins(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(weights: Path, folder: Path) -> None:
        final = cache_folder() / "models" / "toy-1.0"
        with staged(final.with_name("other"), KIND, {"name": "toy"}) as other:
            copy(weights, other)
        final.with_name("other").rename(final)
        copy(weights, folder)

    monkeypatch.setitem(CONVERT, "toy", slow)
    assert install("toy")["path"] == str(locate("toy"))


def test_a_failed_conversion_leaves_nothing(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(weights: Path, folder: Path) -> None:
        (folder / "half").write_text("x")
        raise OSError("broken")

    monkeypatch.setitem(CONVERT, "toy", fails)
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


def test_a_pip_in_the_current_folder_never_runs(
    toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = Packaged(**{**vars(PACKAGED["toy"]), "packages": {"toy-weights": "2.0"}})
    monkeypatch.setitem(PACKAGED, "toy", changed)
    here = tmp_path / "here"
    (here / "encodings").mkdir(parents=True)
    for name in ("pip.py", "pip/__main__.py", "sitecustomize.py", "encodings/__init__.py"):
        (here / name).parent.mkdir(exist_ok=True)
        (here / name).write_text(f"open({str(tmp_path / 'canary')!r}, 'w')\n")
    monkeypatch.chdir(here)
    monkeypatch.setenv("PYTHONPATH", str(here))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(BadInput, match="pip could not install toy"):
        install("toy")
    assert not (tmp_path / "canary").exists()


def test_nothing_is_asked_on_standard_input(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Packaged(**{**vars(PACKAGED["plain"]), "packages": {"plain-weights": "9"}})
    monkeypatch.setitem(PACKAGED, "plain", changed)
    real, code = subprocess.run, "import sys; sys.exit(len(sys.stdin.read()))"

    def reading(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        return real([sys.executable, "-c", code], **options)

    monkeypatch.setattr(subprocess, "run", reading)
    install("plain")
