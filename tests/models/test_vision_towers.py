"""Towers: how many states a picture has, that they stand alone, and that they learn."""

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tastemaker.artifacts import staged
from tastemaker.files import save_tensors, write_json
from tastemaker.models.packaged import KIND
from tastemaker.models.vision_towers import (
    ConvTower,
    ConvTowerConfig,
    EfficientNetTower,
    EfficientNetTowerConfig,
)
from tastemaker.models.vlm import Asked, open_vision_model
from tests.models.vision_models import picture, tiny


class Lite(nn.Module):
    """Stands in for the network of the package where it is not installed: as wide, as coarse."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_head = nn.Conv2d(3, 1280, 32, stride=32)
        self._bn1 = nn.BatchNorm2d(1280)
        self._fc = nn.Linear(1280, 10)

    @classmethod
    def from_name(cls, _: str) -> "Lite":
        return cls()

    def extract_features(self, pixels: Tensor) -> Tensor:
        maps: Tensor = self._bn1(self._conv_head(pixels))
        return maps


@pytest.fixture
def lite(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installed EfficientNet-Lite0, of the package or in its place."""
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    try:
        import efficientnet_lite_pytorch as package
    except ImportError:
        package = ModuleType("efficientnet_lite_pytorch")
        vars(package)["EfficientNet"] = Lite
        monkeypatch.setitem(sys.modules, package.__name__, package)
    torch.manual_seed(0)
    network: Any = package.EfficientNet.from_name("efficientnet-lite0")
    folder = tmp_path / "cache" / "models" / "efficientnet-lite0-0.1.0"
    folder.parent.mkdir(parents=True)
    with staged(folder, KIND, {}) as partial:
        config = {"model_type": "efficientnet-lite0", "image_size": 224, "hidden_size": 1280}
        write_json(partial / "config.json", config)
        save_tensors(partial / "model.safetensors", network.state_dict())
    yield folder


@pytest.mark.parametrize("side", [16, 64, 96])
def test_convolutions_give_a_state_for_16_pixels_of_a_side(side: int) -> None:
    torch.manual_seed(0)
    tower = ConvTower(ConvTowerConfig(image_size=side, hidden_size=24)).eval()
    pixels = torch.randn(3, 3, side, side)
    with torch.no_grad():
        states = tower(pixels).hidden_states[-1]
        alone = tower(pixels[1:2]).last_hidden_state
    assert states.shape == (3, (side // 16) ** 2, 24)
    torch.testing.assert_close(states[1:2], alone, rtol=0, atol=1e-5)


def test_states_are_read_from_the_top_left() -> None:
    tower = ConvTower(ConvTowerConfig(image_size=64, hidden_size=24)).eval()
    pixels = torch.zeros(2, 3, 64, 64)
    pixels[1, :, :16, 48:] = 1  # the fourth of sixteen cells
    with torch.no_grad():
        states = tower.layers[0](pixels)  # before any norm over the whole picture
    changed = (states[0] != states[1]).any(0)
    assert changed[:8, 24:].any() and not changed[10:].any() and not changed[:, :22].any()


def test_a_packaged_network_is_a_tower(lite: Path, tmp_path: Path) -> None:
    vision = tiny(tower="efficientnet-lite0", side=64)
    assert vision.image_tokens == 4
    asked = [Asked("what?", picture(0, 64, 64), "a"), Asked("what?", picture(1), "b")]
    rows = vision.rows(asked)
    with torch.no_grad():
        states, alone = vision.states(rows), vision.states(vision.rows(asked[:1]))
        torch.testing.assert_close(alone[0], states[0], rtol=0, atol=1e-4)
        vision.train()
        assert torch.equal(vision.states(rows), states)
    pixels = torch.from_numpy(asked[0].picture).permute(2, 0, 1)[None].float()
    given = rows.pictures["pixel_values"][:1]
    torch.testing.assert_close(given, (pixels - 127) / 128, rtol=0, atol=1e-4)
    vision.answer_loss(rows)[0].backward()
    assert any(weight.grad is not None for weight in vision.tower.parameters())
    vision.tower.requires_grad_(False)
    vision.zero_grad()
    vision.answer_loss(rows)[0].backward()
    assert all(weight.grad is None for weight in vision.tower.parameters())
    vision.eval().save(tmp_path / "model")
    opened = open_vision_model(tmp_path / "model")
    with torch.no_grad():
        assert torch.equal(opened.states(rows), states)


def test_its_weights_are_those_of_the_package(lite: Path) -> None:
    towers: list[Any] = [tiny(seed, tower="efficientnet-lite0").tower for seed in (0, 1)]
    first, second = (tower.network._conv_head.weight for tower in towers)
    assert torch.equal(first, second)
    fresh: Any = EfficientNetTower(EfficientNetTowerConfig(image_size=64))
    assert not torch.equal(fresh.network._conv_head.weight, first)
