"""Presets: every one can be built, and the command starts from it."""

from pathlib import Path
from typing import get_args

import pytest

from tastemaker.options import Model
from tastemaker.recommend.backbones import NEURAL
from tastemaker.recommend.presets import PRESETS, Preset
from tastemaker.train.config import FitConfig

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
    assert not recipe.startswith("recipes/") or (Path(__file__).parents[2] / recipe).is_file()
    assert preset.fit.epochs >= 5
    if model != "hllm":
        module = NEURAL[model][0](preset.model, 30)
        assert sum(p.numel() for p in module.parameters()) > 0
