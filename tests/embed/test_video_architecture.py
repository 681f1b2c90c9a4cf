"""Counted costs are those that torch counts as it computes."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from tastemaker.embed.video_architecture import architecture, patches_of, stack_of
from tastemaker.errors import BadInput
from tastemaker.models.extras import transformers

HERE = Path("config.json")
SIGLIP = {
    "model_type": "siglip_vision_model",
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "image_size": 32,
    "patch_size": 8,
}
CLIP = {**SIGLIP, "model_type": "clip_vision_model"}
LLAMA = {
    "model_type": "llama",
    "hidden_size": 48,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 6,
    "num_key_value_heads": 2,
    "vocab_size": 120,
}
QWEN = {**LLAMA, "model_type": "qwen3", "head_dim": 16, "hidden_size": 64}
"""queries of other width than the states"""


def counted(config: dict[str, object], kind: str, **inputs: torch.Tensor) -> int:
    """FLOPs of a forward pass, as torch counts them."""
    library = transformers()
    made = library.CONFIG_MAPPING[config["model_type"]](**config)
    made._attn_implementation = "eager"
    model = getattr(library, kind).from_config(made).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(**inputs)
    return counter.get_total_flops()


GPT2 = {"model_type": "gpt2", "n_embd": 64, "n_layer": 2, "n_head": 4, "vocab_size": 120}
"""weights that are kept the other way round, in a layer of transformers' own"""
GEMMA = {**LLAMA, "model_type": "gemma2"}
"""heads of 256 values, which the config does not say"""


@pytest.mark.parametrize(
    "config", [LLAMA, QWEN, GPT2, GEMMA], ids=["llama", "qwen3", "gpt2", "gemma2"]
)
def test_a_language_model_costs_what_torch_counts(config: dict[str, object]) -> None:
    tokens = 40
    ids = torch.zeros(1, tokens, dtype=torch.long)
    total = counted(
        config, "AutoModelForCausalLM", input_ids=ids, logits_to_keep=torch.tensor([-1])
    )
    stack = stack_of(config, HERE)
    assert stack.flops(np.float64(tokens)) == pytest.approx(total, rel=0.01)
    made = transformers().CONFIG_MAPPING[config["model_type"]](**config)
    model = transformers().AutoModelForCausalLM.from_config(made)
    assert stack.parameters == model.num_parameters()


@pytest.mark.parametrize("config", [SIGLIP, CLIP], ids=["siglip", "clip"])
def test_a_vision_tower_costs_what_torch_counts(config: dict[str, object]) -> None:
    headless = {**config, "vision_use_head": False} if config is SIGLIP else config
    total = counted(headless, "AutoModel", pixel_values=torch.zeros(1, 3, 32, 32))
    stack, tokens = stack_of(config, HERE), patches_of(config)
    assert stack.flops(np.float64(tokens)) == pytest.approx(total, rel=0.02)


def test_all_of_it_adds_up() -> None:
    larger = {**LLAMA, "hidden_size": 96}
    whole = architecture(SIGLIP, [larger, LLAMA], HERE, prompt=10)
    small, large = whole.language
    assert small.parameters < large.parameters
    x = np.array([[small.parameters, 4, 9], [large.parameters, 2, 16]])
    tower = whole.tower.flops(np.float64(16)) + 2 * 16 * whole.projector
    wanted = [4 * tower + small.flops(np.float64(46)), 2 * tower + large.flops(np.float64(42))]
    assert whole.flops(x) == pytest.approx(wanted)
    assert whole.vision(x) == pytest.approx([4 * tower, 2 * tower])
    with pytest.raises(BadInput, match="123"):
        whole.flops(np.array([[123.0, 4, 9]]))


def test_what_cuts_no_frame_is_refused() -> None:
    with pytest.raises(BadInput):
        patches_of({"image_size": 32})
    with pytest.raises(BadInput):
        stack_of({"model_type": "nothing"}, HERE)


def test_what_cannot_be_counted_is_refused_and_not_taken_for_nothing() -> None:
    """Of several experts each token passes but some; a model of two parts is no one stack."""
    with pytest.raises(BadInput, match="not counted") as refused:
        stack_of({**LLAMA, "model_type": "mixtral", "num_local_experts": 4}, HERE)
    assert "VideoCost" in refused.value.fix and refused.value.where == str(HERE)
    both = {"model_type": "llava", "text_config": LLAMA, "vision_config": CLIP}
    with pytest.raises(BadInput, match="no one stack") as refused:
        stack_of(both, HERE)
    assert "text_config" in refused.value.fix
    with pytest.raises(BadInput, match="no language model"):
        architecture(SIGLIP, [], HERE)
