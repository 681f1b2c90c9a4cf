"""Presets: every one can be built, and the command starts from it."""

from pathlib import Path

import pytest

from tastemaker.recommend.backbones import NEURAL, build
from tastemaker.recommend.presets import Preset
from tastemaker.train.config import FitConfig
from tests.recommend.test_backbones import ground

ALL = [(model, name) for model, one in NEURAL.items() for name in one.presets]


def test_every_model_has_presets_and_the_first_is_what_run_takes() -> None:
    for backbone in NEURAL.values():
        first, *_ = backbone.presets
        assert first == "default"
        assert backbone.presets[first].model == backbone.config()
        assert backbone.presets[first].fit == FitConfig()


@pytest.mark.parametrize(("model", "name"), ALL)
def test_every_preset_is_of_its_model_and_says_where_it_is_from(model: str, name: str) -> None:
    preset: Preset = NEURAL[model].presets[name]
    assert type(preset.model) is NEURAL[model].config
    assert "arXiv" in preset.source or "recipes/" in preset.source or name == "default"
    recipe = preset.source.split()[0]
    assert not recipe.startswith("recipes/") or (Path(__file__).parents[2] / recipe).is_file()
    assert preset.fit.epochs >= 5
    if model != "hllm" and not preset.model.foreign():
        module = build(preset.model, ground(30))
        assert sum(p.numel() for p in module.parameters()) > 0
