"""A trained model is written with what adapters learned, and reads vectors as it was trained to."""

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="transformers is not installed")
pytest.importorskip("PIL", reason="needs tastemaker[vision]")

from tastemaker.embed.cafe import CAFe, CAFeConfig
from tastemaker.models.tiny_vlm import tiny_vision_model
from tastemaker.models.vlm_embedding import Embedding, picture_asked, text_asked
from tastemaker.models.vlm_vectors import PictureTextEncoder
from tastemaker.run.embed_saving import save_model
from tests.run.embedded import SHAPE


@pytest.mark.parametrize("lora", [0, 2])
def test_saved_and_opened_it_gives_the_same_vectors(tmp_path: Path, lora: int) -> None:
    if lora:
        pytest.importorskip("peft", reason="peft is not installed")
    embedding = Embedding("mean", "one word:", heads=True)
    config = CAFeConfig(lora=lora, embedding=embedding)
    cafe = CAFe(tiny_vision_model(SHAPE, ["red square"]), config).eval()
    torch.manual_seed(0)
    with torch.no_grad():
        for name, parameter in cafe.named_parameters():
            if "lora_B" in name or "heads" in name:
                parameter.add_(0.1 * torch.randn_like(parameter))
    save_model(cafe, tmp_path / "model")
    encode = PictureTextEncoder(tmp_path / "model")
    assert encode.embedding == embedding
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    with torch.inference_mode():
        pictures = cafe.vectors(cafe.vision.rows([picture_asked(picture, embedding)]), "picture")
        texts = cafe.vectors(cafe.vision.rows([text_asked("red square", embedding)]), "text")
    np.testing.assert_allclose(encode([picture]), pictures.numpy(), atol=1e-5)
    np.testing.assert_allclose(encode(["red square"]), texts.numpy(), atol=1e-5)
