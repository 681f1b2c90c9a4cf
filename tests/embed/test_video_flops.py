"""Formulas of cost against what torch counts as whole video models compute."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tastemaker.embed.frame_encoder import EncoderConfig, FrameEncoder, frame_flops
from tastemaker.embed.video_architecture import Stack, architecture, patches_of, stack_of
from tastemaker.embed.video_cost import VideoCost
from tastemaker.embed.video_vlm import (
    VideoModel,
    VideoModelConfig,
    Vocabulary,
    cost_of,
    description,
)

HERE = Path("config.json")
WORDS = Vocabulary(tuple("abcdefgh"), ("yes", "no"), 6)
SIZES = [(32, 4, 16), (64, 8, 4), (64, 2, 1), (128, 8, 16)]


def counted(width: int, frames: int, tokens: int) -> tuple[int, int]:
    """FLOPs of one answer, and the parameters that read."""
    torch.manual_seed(0)
    model = VideoModel(VideoModelConfig(width, 2, frames, tokens), 48, WORDS).eval()
    model.language.set_attn_implementation("eager")
    features, words = torch.zeros(1, frames, tokens, 48), torch.zeros(1, 6, dtype=torch.long)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model.logits(features, words)
    return counter.get_total_flops(), model.parameters_read


@pytest.mark.parametrize(("width", "frames", "tokens"), SIZES)
def test_the_exact_cost_is_what_is_computed(width: int, frames: int, tokens: int) -> None:
    """All tokens, those of the question too, and attention."""
    total, _ = counted(width, frames, tokens)
    stack = stack_of(description(VideoModelConfig(width), len(WORDS.words)), HERE)
    read = frames * tokens + WORDS.longest
    head = 2 * width * len(WORDS.answers)
    projected = 2 * 48 * width * frames * tokens
    wanted = stack.flops(read) - 2 * stack.once + head + projected
    assert total == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(("width", "frames", "tokens"), SIZES)
def test_the_plain_cost_is_of_the_right_size(width: int, frames: int, tokens: int) -> None:
    """2 N T V leaves out attention and the question, so it is too low by the share of these."""
    total, parameters = counted(width, frames, tokens)
    plain = 2 * parameters * frames * tokens
    read = frames * tokens + WORDS.longest
    attended = 4 * 2 * width * read**2
    words = 2 * parameters * WORDS.longest
    assert 0.8 * total < plain + attended + words < 1.3 * total


def test_frames_are_charged_as_the_encoder_computes_them() -> None:
    encoder = FrameEncoder(EncoderConfig(), 10)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        encoder.features(torch.zeros(8, 64, 64, dtype=torch.uint8))
    cost = cost_of(frame_flops(encoder))
    x = np.array([1e5, 8, 4])
    assert cost.vision(x) == pytest.approx(counter.get_total_flops())


KINDS: list[dict[str, Any]] = [
    {"model_type": "llama", "num_key_value_heads": 1},
    {"model_type": "qwen2", "num_key_value_heads": 2},
    {"model_type": "mistral", "num_key_value_heads": 4},
    {"model_type": "llama", "tie_word_embeddings": True},
]
SHAPE = {
    "hidden_size": 64,
    "intermediate_size": 160,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 256,
}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: "-".join(map(str, kind.values())))
def test_parameters_and_products_of_kinds_of_language_models(kind: dict[str, Any]) -> None:
    stack = stack_of({**SHAPE, **kind}, HERE)
    shared = kind.get("num_key_value_heads", 4)
    attention = 64 * 64 * 2 + 2 * 64 * 16 * shared
    layer = attention + 3 * 64 * 160
    assert stack.products == 2 * layer
    assert stack.layers == 2 and stack.width == 64 and stack.once == 256 * 64
    tied = bool(kind.get("tie_word_embeddings"))
    tables = 256 * 64 * (1 if tied else 2)
    assert 0 <= stack.parameters - 2 * layer - tables < 1000  # norms and biases


@pytest.mark.parametrize(
    ("image", "patch", "wanted"), [(224, 16, 196), (384, 14, 729), (32, 8, 16)]
)
def test_patches_are_those_that_fit(image: int, patch: int, wanted: int) -> None:
    sized = {"image_size": image, "patch_size": patch}
    assert patches_of({**sized, "model_type": "siglip_vision_model"}) == wanted
    assert patches_of({**sized, "model_type": "clip_vision_model"}) == wanted + 1


def test_a_stack_of_nothing_costs_nothing_and_pairs_grow_with_the_square() -> None:
    assert Stack(0, 0, 0, 0).flops(100) == 0
    pairs = Stack(0, 0, 3, 64)
    assert pairs.flops(200) == 4 * pairs.flops(100) == 4 * 3 * 64 * 200**2


def test_leaving_attention_out_matters_little_for_large_models_and_short_videos() -> None:
    """What the plain formula leaves out, in the exact one: below a tenth at 1,568 tokens."""
    large = {
        "model_type": "llama",
        "hidden_size": 2048,
        "intermediate_size": 8192,
        "num_hidden_layers": 16,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "vocab_size": 1000,
    }
    tower = {
        "model_type": "siglip_vision_model",
        "hidden_size": 1152,
        "intermediate_size": 4304,
        "num_hidden_layers": 27,
        "num_attention_heads": 16,
        "image_size": 384,
        "patch_size": 14,
    }
    whole = architecture(tower, [large], HERE)
    stack = whole.language[0]
    x = np.array([stack.parameters, 8, 196])
    plain = VideoCost(whole.tower.products, whole.patches, whole.projector).flops(
        np.array([stack.products, 8, 196])
    )
    exact = whole.flops(x)
    assert plain < exact < 1.15 * plain
    assert 0.4e9 < whole.tower.products < 0.45e9  # what the paper counts as 0.43 B
