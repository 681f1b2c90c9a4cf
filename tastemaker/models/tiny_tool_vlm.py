"""A tiny vision-language model that can call tools: a Qwen2.5-VL of some hundred thousand weights.

It knows nothing yet; its tokens are made of the texts that it will meet. Its template of chats is
one that renders tools and the images that they give back.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from tastemaker.errors import BadInput
from tastemaker.files import make_folder, write_json, write_text
from tastemaker.models.encode import within
from tastemaker.models.extras import extra, quiet, transformers

_PAD, _END = "<|endoftext|>", "<|im_end|>"
_MARKS = [_PAD, "<|im_start|>", _END, "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
          "<|video_pad|>"]  # fmt: skip
_CALLS = ["<tool_call>", "</tool_call>"]
_PATCH, _MERGED = 8, 2


@dataclass(frozen=True)
class TinyTool:
    """Shape of a tiny model."""

    side: int = 64
    """S, pixels of a side to which a square picture is brought: (S / 16)² tokens"""
    dim: int = 64
    """d of the language model, and of the tower"""
    layers: int = 3
    heads: int = 4
    vocabulary: int = 1500
    """most entries of the tokens"""
    context: int = 2048
    """most tokens of a conversation"""


def write_tiny_tool_model(
    folder: Path, shape: TinyTool, texts: Iterable[str], template: str, seed: int = 0
) -> None:
    """Write a model with its processor, as `open_vision_model` opens it.

    Args:
        folder: Where.
        shape: Its shape.
        texts: What its tokens are made of.
        template: Of chats, in the marks of Qwen.
        seed: Of its weights.

    Raises:
        BadInput: If the shape is none.
    """
    check_shape(shape)
    library = transformers()
    words = _words(shape, texts)
    with torch.random.fork_rng([]), quiet():
        torch.manual_seed(seed)
        model = library.Qwen2_5_VLForConditionalGeneration(_config(shape, words))
        model.generation_config.eos_token_id = words.eos_token_id
        model.generation_config.pad_token_id = words.pad_token_id
        make_folder(folder)
        model.save_pretrained(folder)
        words.save_pretrained(folder)
        pictures = library.Qwen2VLImageProcessorPil(
            size={"shortest_edge": shape.side**2 // 2, "longest_edge": shape.side**2},
            patch_size=_PATCH, merge_size=_MERGED,
        )  # fmt: skip
        pictures.save_pretrained(folder)
    write_text(folder / "chat_template.jinja", template)
    write_json(folder / "processor_config.json", {"processor_class": "Qwen2_5_VLProcessor"})


def check_shape(shape: TinyTool) -> None:
    """Refuse a shape that no model has.

    Raises:
        BadInput: Naming what of it is wrong.
    """
    within("side", shape.side, 2 * _PATCH * _MERGED, 1024)
    within("layers", shape.layers, 1, 1000)
    within("heads", shape.heads, 1, 1000)
    within("vocabulary", shape.vocabulary, 256 + len(_MARKS) + len(_CALLS), 2**20)
    within("context", shape.context, 64, 2**20)
    if shape.dim < 1 or shape.dim % (16 * shape.heads) and shape.dim % (8 * shape.heads):
        fix = f"Give a multiple of {8 * shape.heads}."
        raise BadInput(f"dim = {shape.dim} is not split by {shape.heads} heads.", "dim", fix)


def _words(shape: TinyTool, texts: Iterable[str]) -> Any:
    """Byte-level BPE of the texts: reads and writes any text."""
    with extra("llm"):
        from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers
    whole: Any = Tokenizer(models.BPE())
    # Digits one by one, so that numbers of two are read and written alike.
    whole.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True),
         pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )  # fmt: skip
    whole.decoder = decoders.ByteLevel()
    trainer: Any = trainers.BpeTrainer(
        vocab_size=shape.vocabulary - len(_CALLS), special_tokens=_MARKS, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    whole.train_from_iterator(texts, trainer)
    whole.add_tokens([AddedToken(mark, special=False, normalized=False) for mark in _CALLS])
    return transformers().PreTrainedTokenizerFast(
        tokenizer_object=whole, eos_token=_END, pad_token=_PAD,
        extra_special_tokens=_MARKS, model_max_length=shape.context,
    )  # fmt: skip


def _config(shape: TinyTool, words: Any) -> Any:
    mark = words.convert_tokens_to_ids
    share = shape.dim // shape.heads // 2
    parts = [share - 2 * (3 * share // 8), 3 * share // 8, 3 * share // 8]
    rope = {"type": "default", "mrope_section": parts, "rope_theta": 10000.0}
    return transformers().Qwen2_5_VLConfig(
        vision_config={
            "depth": 2, "hidden_size": shape.dim, "intermediate_size": 2 * shape.dim,
            "num_heads": shape.heads, "out_hidden_size": shape.dim, "patch_size": _PATCH,
            "spatial_merge_size": _MERGED, "window_size": 8 * _PATCH, "fullatt_block_indexes": [1],
        },
        text_config={
            "vocab_size": len(words), "hidden_size": shape.dim,
            "intermediate_size": 3 * shape.dim, "num_hidden_layers": shape.layers,
            "num_attention_heads": shape.heads, "num_key_value_heads": shape.heads,
            "max_position_embeddings": shape.context, "rope_parameters": rope,
            "max_window_layers": shape.layers, "eos_token_id": words.eos_token_id,
            "pad_token_id": words.pad_token_id, "bos_token_id": None,
            "initializer_range": shape.dim**-0.5,
        },
        image_token_id=mark("<|image_pad|>"), video_token_id=mark("<|video_pad|>"),
        vision_start_token_id=mark("<|vision_start|>"), vision_end_token_id=mark("<|vision_end|>"),
        tie_word_embeddings=True,
    )  # fmt: skip
