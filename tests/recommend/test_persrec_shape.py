"""Options of PerSRec: what they refuse, and the layout and the backbone that they shape."""

from dataclasses import replace
from typing import Any

import pytest

from tastemaker.config import from_json, to_json
from tastemaker.errors import BadInput
from tastemaker.recommend.backbone_option import BackboneConfig
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig

BACKBONES: list[BackboneConfig] = [SASRecConfig(), ESASRecConfig(), HSTUConfig(), HLLMConfig()]


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("old", (-1, 10**6 + 1)),
        ("recent", (0, -5, 10**6 + 1)),
        ("tokens", (-1, 10**4 + 1)),
        ("hidden", (-0.1, 1.0, 2.0, float("nan"))),
    ],
)
def test_what_is_out_of_range_is_refused_by_name(option: str, values: tuple[float, ...]) -> None:
    for value in values:
        with pytest.raises(BadInput, match=option):
            PerSRecConfig(**{option: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "shape",
    [
        {"parts": 0},
        {"parts": -1},
        {"old": 10, "tokens": 4, "parts": 4},
        {"old": 12, "tokens": 4, "parts": 3},
        {"old": 10, "tokens": 5, "parts": 2},
    ],
)
def test_parts_divide_old_events_and_tokens(shape: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as caught:
        PerSRecConfig(**shape)
    assert "--model.parts" in (caught.value.where, caught.value.fix)


@pytest.mark.parametrize(
    "shape",
    [
        {"old": 0, "tokens": 0},
        {"old": 0, "tokens": 3},
        {"old": 7, "tokens": 0},
        {"old": 0, "tokens": 0, "parts": 3},
        {"old": 1, "recent": 1, "tokens": 1},
        {"old": 12, "tokens": 6, "parts": 3},
        {"hidden": 0.9},
    ],
)
@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda one: type(one).__name__)
def test_the_backbone_is_as_long_as_the_layout(
    shape: dict[str, Any], backbone: BackboneConfig
) -> None:
    config = PerSRecConfig(replace(backbone, dim=8), **shape)
    layout = config.layout
    assert config.inner.history == layout.length == config.old + config.tokens + config.recent
    assert config.history == layout.old + layout.recent
    assert config.dim == 8
    assert config.inner == replace(config.backbone, history=layout.length)
    again = from_json(PerSRecConfig, to_json(config), "config.json")
    assert again == config


@pytest.mark.parametrize("backbone", BACKBONES, ids=lambda one: type(one).__name__)
def test_a_backbone_has_no_history_of_its_own(backbone: BackboneConfig) -> None:
    usual = PerSRecConfig(backbone, old=10, recent=3, tokens=2)
    for history in (7, 13, 16):
        with pytest.raises(BadInput) as caught:
            PerSRecConfig(replace(backbone, history=history), old=10, recent=3, tokens=2)
        assert caught.value.where == "--model.backbone"
    same = replace(usual, backbone=replace(backbone, history=15))
    assert same.inner == usual.inner


def test_a_backbone_may_not_wait_for_the_time_of_a_request() -> None:
    with pytest.raises(BadInput, match="request") as caught:
        PerSRecConfig(HSTUConfig(time="request"))
    assert "time=past" in caught.value.fix
    for time in ("past", "none"):
        assert PerSRecConfig(HSTUConfig(time=time)).inner.history == 204  # type: ignore[arg-type]


def test_it_suits_a_catalogue_and_a_log_as_its_backbone_does() -> None:
    config = PerSRecConfig(HSTUConfig(), tokens=2)
    for items, times in ((20_000, True), (20_001, True), (20_000, False)):
        suited = config.suited(items, times)
        assert suited.backbone == config.backbone.suited(items, times)
        assert replace(suited, backbone=config.backbone) == config
        assert suited.suited(items, times) == suited
    assert config.suited(9, times=False).backbone.time == "none"  # type: ignore[union-attr]


def test_it_names_the_models_on_this_machine_that_its_backbone_names() -> None:
    assert PerSRecConfig().foreign() == {}
    named = HLLMConfig(item_model="minilm", user_model="some/folder")
    assert PerSRecConfig(named).foreign() == named.foreign() != {}
