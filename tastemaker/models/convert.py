"""Weights as their packages ship them, written once as config.json and safetensors."""

from __future__ import annotations

from pathlib import Path

import torch

from tastemaker.files import save_tensors, write_json
from tastemaker.models.extras import transformers
from tastemaker.models.library import efficientnet, gguf_model
from tastemaker.models.shards import WEIGHTS


def smollm2(weights: Path, folder: Path) -> None:
    """A 4-bit GGUF file of SmolLM2 as a plain, trainable `LlamaForCausalLM` in bfloat16.

    Args:
        weights: The GGUF file.
        folder: Empty folder; gets config, generation config, tokenizer and weights.

    Raises:
        BadInput: If transformers or gguf is not installed.
    """
    model, tokenizer = gguf_model(weights)
    options = model.config.to_diff_dict()
    for name in ("quantization_config", "_name_or_path", "_model_name_or_path"):
        options.pop(name, None)
    config = transformers().LlamaConfig(
        **options | {"dtype": "bfloat16", "architectures": ["LlamaForCausalLM"]}
    )
    config.save_pretrained(folder)
    generation = model.generation_config
    generation.eos_token_id = generation.pad_token_id = 2
    generation.save_pretrained(folder)
    tokenizer.model_max_length = config.max_position_embeddings
    tokenizer.save_pretrained(folder)
    tensors = {name: t.to(torch.bfloat16) for name, t in model.state_dict().items()}
    tensors.pop("lm_head.weight", None)  # tied to the embedding
    save_tensors(folder / WEIGHTS, tensors)


def efficientnet_lite0(weights: Path, folder: Path) -> None:
    """The ImageNet weights of EfficientNet-Lite0, from a `.pth` whose sha256 was checked.

    Args:
        weights: The `.pth` file.
        folder: Empty folder; gets config and weights.

    Raises:
        BadInput: If efficientnet-lite-pytorch is not installed.
    """
    model = efficientnet(weights)
    config = {"model_type": "efficientnet-lite0", "image_size": 224, "hidden_size": 1280}
    write_json(folder / "config.json", config)
    save_tensors(folder / WEIGHTS, model.state_dict())
