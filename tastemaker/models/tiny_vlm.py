"""Tiny vision-language models, put together from parts: a tower, a projector, a language model."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal

import torch

from tastemaker.errors import BadInput
from tastemaker.models.encode import within
from tastemaker.models.extras import extra, transformers
from tastemaker.models.identity import identity_of
from tastemaker.models.picture_processor import PictureProcessor
from tastemaker.models.vision_library import register_towers
from tastemaker.models.vlm import VisionModel

_PAD, _END, _IMAGE = "<|pad|>", "<|end|>", "<image>"
_ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
_TEMPLATE = (
    "{% for turn in messages %}<|{{ turn['role'] }}|>"
    "{% if turn['content'] is string %}{{ turn['content'] }}"
    "{% else %}{% for part in turn['content'] %}"
    "{% if part['type'] == 'image' %}<image>{{ '\n' }}{% else %}{{ part['text'] }}{% endif %}"
    "{% endfor %}{% endif %}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@dataclass(frozen=True)
class TinyVision:
    """Shape of a tiny model."""

    tower: Literal["conv", "efficientnet-lite0"] = "conv"
    """four strided convolutions, or EfficientNet-Lite0 as its package has it"""
    side: int = 64
    """S, pixels of a side: (S/16)² tokens of `conv`, (S/32)² of `efficientnet-lite0`"""
    vision_dim: int = 128
    """D of `conv`"""
    dim: int = 128
    """d of a fresh language model"""
    layers: int = 3
    heads: int = 4
    vocabulary: int = 1024
    """most entries of the tokens that are made of the texts"""
    context: int = 256
    """most tokens of a row"""
    language: str = ""
    """a packaged causal model, such as smollm2, with its own tokens; empty: a fresh one"""


def tiny_vision_model(shape: TinyVision, texts: Iterable[str], seed: int = 0) -> VisionModel:
    """A model that has learned nothing yet, in evaluation mode.

    Args:
        shape: Its shape.
        texts: What its tokens are made of: equal texts make equal tokens.
        seed: Of its weights.

    Raises:
        BadInput: If the shape is none.
    """
    register_towers()
    _check(shape)
    lines = list(texts)
    tokenizer = _tokenizer(shape, lines)
    library = transformers()
    config = library.LlavaConfig(
        vision_config=_tower(shape), text_config=_language(shape, tokenizer),
        image_token_index=tokenizer.convert_tokens_to_ids(_IMAGE), vision_feature_layer=-1,
        vision_feature_select_strategy="full", image_seq_length=(shape.side // 16) ** 2,
        tie_word_embeddings=True,
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = library.LlavaForConditionalGeneration(config)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    told = hashlib.sha256("\0".join(lines).encode(errors="surrogatepass")).hexdigest()
    identity = identity_of(told, {"tiny": 1, "seed": seed, "shape": asdict(shape)})
    processor = _processor(shape, tokenizer)
    return VisionModel(model, processor, shape.context, identity, "a tiny model").eval()


def _check(shape: TinyVision) -> None:
    within("side", shape.side, 16, 4096)
    if shape.side % 16:
        raise BadInput(f"side = {shape.side} is no multiple of 16.", "side", "Give 64.")
    within("context", shape.context, 8, 2**20)
    within("layers", shape.layers, 1, 1000)
    within("vocabulary", shape.vocabulary, 256 + 6, 2**20)
    if shape.dim % (2 * shape.heads):
        fix = "Give a multiple of twice the heads."
        raise BadInput(f"dim = {shape.dim} is not split by {shape.heads} heads.", "dim", fix)


def _tokenizer(shape: TinyVision, texts: list[str]) -> Any:
    """Byte-level BPE of the texts: reads and writes any text."""
    with extra("llm"):
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    whole: Any = Tokenizer(models.BPE())
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    marks = [_PAD, _END, *_ROLES, _IMAGE]
    trainer: Any = trainers.BpeTrainer(
        vocab_size=shape.vocabulary, special_tokens=marks, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    whole.train_from_iterator([one.encode(errors="replace").decode() for one in texts], trainer)
    return transformers().PreTrainedTokenizerFast(
        tokenizer_object=whole, pad_token=_PAD, eos_token=_END,
        additional_special_tokens=[*_ROLES, _IMAGE], model_max_length=shape.context,
    )  # fmt: skip


def _tower(shape: TinyVision) -> Any:
    from tastemaker.models.vision_towers import ConvTowerConfig

    return ConvTowerConfig(image_size=shape.side, hidden_size=shape.vision_dim)


def _language(shape: TinyVision, tokenizer: Any) -> Any:
    return transformers().Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=shape.dim, intermediate_size=3 * shape.dim,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads, max_position_embeddings=shape.context,
        tie_word_embeddings=True, pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
    )  # fmt: skip


def _processor(shape: TinyVision, tokenizer: Any) -> PictureProcessor:
    library = transformers()
    side = {"height": shape.side, "width": shape.side}
    pictures = library.SiglipImageProcessorPil(size=side)
    whole = library.LlavaProcessor(
        image_processor=pictures, tokenizer=tokenizer, patch_size=16,
        vision_feature_select_strategy="full", chat_template=_TEMPLATE, image_token=_IMAGE,
    )  # fmt: skip
    return PictureProcessor(whole)
