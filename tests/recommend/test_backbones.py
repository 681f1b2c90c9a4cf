"""The table of neural models: each entry builds its own model."""

import pytest
import torch

from tastemaker.data.catalog import Catalog
from tastemaker.recommend.backbones import NEURAL, build, name_of


@pytest.mark.parametrize("name", sorted(set(NEURAL) - {"hllm"}))
def test_a_configuration_builds_the_model_of_its_name(name: str) -> None:
    model, config = NEURAL[name]
    torch.manual_seed(0)
    assert isinstance(build(config(), 9, Catalog.empty()), model)
    assert name_of(config()) == name
