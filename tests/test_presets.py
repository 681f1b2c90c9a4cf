"""Presets: every one can be built, and the command starts from it."""

import json
from pathlib import Path
from typing import get_args

import pytest

from tastemaker.cli import main
from tastemaker.options import Model
from tastemaker.presets import PRESETS, Preset
from tastemaker.recommend.models import NEURAL
from tastemaker.train import FitConfig

ALL = [(model, name) for model, presets in PRESETS.items() for name in presets]


def test_every_model_has_presets_and_the_first_is_what_run_takes() -> None:
    assert tuple(PRESETS) == get_args(Model) == tuple(NEURAL)
    for model, presets in PRESETS.items():
        first, *_ = presets
        assert first == "default"
        assert presets[first].model == NEURAL[model][1]()
        assert presets[first].fit == FitConfig()


@pytest.mark.parametrize(("model", "name"), ALL)
def test_every_preset_is_of_its_model_and_says_where_it_is_from(model: str, name: str) -> None:
    preset: Preset = PRESETS[model][name]
    assert type(preset.model) is NEURAL[model][1]
    assert "arXiv" in preset.source or "recipes/" in preset.source or name == "default"
    recipe = preset.source.split()[0]
    assert not recipe.startswith("recipes/") or (Path(__file__).parents[1] / recipe).is_file()
    assert preset.fit.epochs >= 5
    if model != "hllm":
        module = NEURAL[model][0](preset.model, 30)
        assert sum(p.numel() for p in module.parameters()) > 0


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
