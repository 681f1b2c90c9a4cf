"""`run` and `train`: options from presets, and what is shown."""

import json
from pathlib import Path

import pytest

from tastemaker.cli import main


def test_the_command_starts_from_a_preset_and_changes_what_it_is_told(
    small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["train", "hstu", "--data", str(small_data), "--out", str(out), "--json"]
    words += ["--preset=paper", "--fit.epochs", "1", "--model.dim", "8", "--model.layers", "1"]
    assert main(words) == 0
    stored = json.loads((out / "config.json").read_text())
    assert stored["model_config"]["negatives"] == 128
    assert stored["model_config"]["head_dim"] == 50
    assert stored["model_config"]["dim"] == 8
    assert stored["fit"]["batch"] == 128
    assert stored["fit"]["epochs"] == 1


def test_help_shows_the_values_of_the_preset(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sasrec", "--preset", "sparse", "--help"]) == 0
    assert "default: 2048" in capsys.readouterr().out


def test_an_unknown_preset_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "sasrec", "--preset", "huge"]) == 2
    assert "--preset" in capsys.readouterr().err
