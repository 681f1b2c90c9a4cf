"""What decides a training goes to JSON and back; weights are chosen by what is trained."""

import pytest

pytest.importorskip("transformers", reason="transformers is not installed")

from tastemaker.config import from_json, to_json
from tastemaker.embed.cafe import CAFeConfig
from tastemaker.models.tiny_vlm import TinyVision
from tastemaker.run.embed_config import SELECTING, EmbedConfig, selecting


@pytest.mark.parametrize("model", ["some/model", TinyVision(side=32)])
def test_json_and_back(model: str | TinyVision) -> None:
    config = EmbedConfig(model, cafe=CAFeConfig(alpha_lm=0.5))
    assert from_json(EmbedConfig, to_json(config), "config.json") == config


def test_weights_are_chosen_by_what_is_trained() -> None:
    chosen = [selecting(CAFeConfig(alpha_con=a, alpha_lm=b)) for a, b in ((1, 0), (0, 1), (1, 1))]
    assert tuple(chosen) == SELECTING
