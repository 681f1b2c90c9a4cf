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
    shown = capsys.readouterr()
    assert json.loads(shown.out)["best"]
    assert "epoch 1 of 1: loss" in shown.err
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


def test_a_model_that_goes_from_an_item_says_how_it_is_asked(
    small_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    words = ["train", "mtmh", "--data", str(small_data), "--out", str(out)]
    assert main([*words, "--fit.epochs", "1", "--model.dim", "8", "--model.width", "16"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "tastemaker similar" in shown
    assert main(["similar", str(out), "--item", "item <3>", "-k", "2"]) == 0
    assert "Item <3>" in capsys.readouterr().out
