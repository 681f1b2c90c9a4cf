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
from tastemaker.models.images import opened_network
from tastemaker.models.library import WritingModel, writing_model
from tastemaker.models.packaged import locate
from tastemaker.models.picture_processor import PictureProcessor
from tastemaker.models.vision_library import register_towers
from tastemaker.models.vlm import VisionModel

_PAD, _END, _IMAGE = "<|pad|>", "<|end|>", "<image>"
_ROLES = ("<|system|>", "<|user|>", "<|assistant|>")
_MARKS = [_PAD, _END, *_ROLES, _IMAGE]
_PATCH = {"conv": 16, "efficientnet-lite0": 32}  # pixels of a side that one vector stands for
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
    """A model that has learned nothing yet but what its packaged parts know, in evaluation mode.

    Args:
        shape: Its shape.
        texts: What its tokens are made of, unless its language model brings some: equal texts make
            equal tokens.
        seed: Of its weights.

    Raises:
        BadInput: If the shape is none, or a packaged part is not installed.
        ArtefactError: If a packaged part is damaged.
    """
    _check(shape)
    register_towers()
    lines = list(texts)
    spoken = _spoken(shape)
    tokenizer = _tokens_of(spoken, shape) if spoken else _tokenizer(shape, lines)
    library = transformers()
    language = _language(shape, tokenizer, spoken)
    config = library.LlavaConfig(
        vision_config=_tower(shape), text_config=language,
        image_token_index=tokenizer.convert_tokens_to_ids(_IMAGE), vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        image_seq_length=(shape.side // _PATCH[shape.tower]) ** 2,
        tie_word_embeddings=language.tie_word_embeddings,
    )  # fmt: skip
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        model = library.LlavaForConditionalGeneration(config)
    if spoken:
        _say(model, spoken.model)
    if shape.tower == "efficientnet-lite0":
        network, _ = opened_network(locate(shape.tower))
        model.model.vision_tower.network.load_state_dict(network.state_dict(), strict=False)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    told = hashlib.sha256("\0".join(lines).encode(errors="surrogatepass")).hexdigest()
    identity = identity_of(told, {"tiny": 1, "seed": seed, "shape": asdict(shape)})
    processor = _processor(shape, tokenizer, bool(spoken))
    return VisionModel(model, processor, tokenizer.model_max_length, identity, "--tiny").eval()


def _check(shape: TinyVision) -> None:
    if shape.tower not in _PATCH:
        fix = f"Give {' or '.join(_PATCH)}."
        raise BadInput(f"No tower is called {shape.tower!r}.", "tower", fix)
    patch = _PATCH[shape.tower]
    within("side", shape.side, patch, 1024)
    if shape.side % patch:
        what = f"side = {shape.side} is no multiple of {patch}."
        raise BadInput(what, "side", f"Give {round(shape.side / patch) * patch}.")
    within("vision_dim", shape.vision_dim, 1, 2**14)
    within("context", shape.context, 8, 2**20)
    within("layers", shape.layers, 1, 1000)
    within("heads", shape.heads, 1, 1000)
    within("vocabulary", shape.vocabulary, 256 + len(_MARKS), 2**20)
    if shape.dim < 1 or shape.dim % (2 * shape.heads):
        fix = f"Give a multiple of {2 * shape.heads}."
        raise BadInput(f"dim = {shape.dim} is not split by {shape.heads} heads.", "dim", fix)


def _spoken(shape: TinyVision) -> WritingModel | None:
    """The packaged language model, if one is named."""
    return writing_model(locate(shape.language)) if shape.language else None


def _tokens_of(spoken: WritingModel, shape: TinyVision) -> Any:
    """Its tokens, and one for pictures."""
    tokenizer: Any = spoken.tokenizer
    tokenizer.add_special_tokens({"additional_special_tokens": [_IMAGE]})
    tokenizer.model_max_length = min(shape.context, spoken.most_tokens)
    return tokenizer


@torch.no_grad()
def _say(model: Any, spoken: Any) -> None:
    """Give the weights of a language model to that of a fresh vision-language model."""
    language, known = model.model.language_model, spoken.get_input_embeddings().weight
    state = spoken.base_model.state_dict()
    table = state["embed_tokens.weight"]
    added = language.get_input_embeddings().num_embeddings - len(table)
    state["embed_tokens.weight"] = torch.cat([table, table.mean(0).expand(added, -1)])
    language.load_state_dict(state)
    head = spoken.get_output_embeddings().weight
    if head is not known:
        own = model.get_output_embeddings().weight
        own[: len(head)] = head
        own[len(head) :] = head.mean(0)


def _tokenizer(shape: TinyVision, texts: list[str]) -> Any:
    """Byte-level BPE of the texts: reads and writes any text."""
    with extra("llm"):
        from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    whole: Any = Tokenizer(models.BPE())
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    trainer: Any = trainers.BpeTrainer(
        vocab_size=shape.vocabulary, special_tokens=_MARKS, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    whole.train_from_iterator([one.encode(errors="replace").decode() for one in texts], trainer)
    return transformers().PreTrainedTokenizerFast(
        tokenizer_object=whole, pad_token=_PAD, eos_token=_END,
        additional_special_tokens=[*_ROLES, _IMAGE], model_max_length=shape.context,
    )  # fmt: skip


def _tower(shape: TinyVision) -> Any:
    from tastemaker.models.vision_towers import ConvTowerConfig, EfficientNetTowerConfig

    if shape.tower == "conv":
        return ConvTowerConfig(image_size=shape.side, hidden_size=shape.vision_dim)
    return EfficientNetTowerConfig(image_size=shape.side)


def _language(shape: TinyVision, tokenizer: Any, spoken: WritingModel | None) -> Any:
    if spoken:
        config: Any = spoken.model.config
        config.vocab_size = max(config.vocab_size, len(tokenizer))
        return config
    return transformers().Qwen2Config(
        vocab_size=len(tokenizer), hidden_size=shape.dim, intermediate_size=3 * shape.dim,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        num_key_value_heads=shape.heads, max_position_embeddings=shape.context,
        initializer_range=shape.dim**-0.5, tie_word_embeddings=True,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id, bos_token_id=None,
    )  # fmt: skip


def _processor(shape: TinyVision, tokenizer: Any, own_template: bool) -> PictureProcessor:
    library = transformers()
    # (x - 127.5) / 127.5, and (x - 127) / 128 as `images` has it for its network
    mean, deviation = (0.5, 0.5) if shape.tower == "conv" else (127 / 255, 128 / 255)
    pictures = library.SiglipImageProcessorPil(
        size={"height": shape.side, "width": shape.side},
        image_mean=[mean] * 3, image_std=[deviation] * 3,
    )  # fmt: skip
    whole = library.LlavaProcessor(
        image_processor=pictures, tokenizer=tokenizer, patch_size=_PATCH[shape.tower],
        vision_feature_select_strategy="full", image_token=_IMAGE,
        chat_template=tokenizer.chat_template if own_template else _TEMPLATE,
    )  # fmt: skip
    return PictureProcessor(whole)
