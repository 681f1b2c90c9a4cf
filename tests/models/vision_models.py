"""Tiny vision-language models with random weights, laid out like those that others made."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model
from tastemaker.models.vlm import VisionModel
from tastemaker.models.vlm_rows import Picture

TEXTS = [f"{n} a small {c} shoe at the top" for n in ("one", "two") for c in ("red", "blue")]
TEXT = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 512,
        "initializer_range": 0.3, "bos_token_id": None, "tie_word_embeddings": False}  # fmt: skip
VISION = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
          "num_attention_heads": 2, "image_size": 32, "patch_size": 8}  # fmt: skip


def picture(seed: int = 0, height: int = 40, width: int = 50) -> Picture:
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (height, width, 3)).astype(np.uint8)


def tiny(seed: int = 0, **shape: Any) -> VisionModel:
    """A model of this package whose states differ from one another."""
    values: dict[str, Any] = {"dim": 32, "layers": 2, "vision_dim": 16, "vocabulary": 300}
    model = tiny_vision_model(TinyVision(**values | shape), TEXTS, seed)
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if "proj" in name and weight.ndim == 2:
                weight.mul_(8)
    return model


def tokenizer(*marks: str) -> Any:
    """Bytes, a few marks, and an end."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    whole: Any = Tokenizer(models.BPE({token: n for n, token in enumerate(letters)}, []))
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=whole, eos_token="</s>", pad_token="<pad>",
        additional_special_tokens=list(marks),
    )  # fmt: skip


CHAT = (
    "{% for m in messages %}{{ m['role'] }}:"
    "{% for part in m['content'] %}{% if part['type'] == 'image' %}<image>\n"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)


def save_llava(folder: Path, tower: str, template: str | None = CHAT) -> Path:
    """Llava with the tower of CLIP or SigLIP; with CLIP the state of its first token is dropped."""
    torch.manual_seed(0)
    words, clip = tokenizer("<image>"), tower == "clip"
    vision: Any = transformers.CLIPVisionConfig if clip else transformers.SiglipVisionConfig
    strategy = "default" if clip else "full"
    config = transformers.LlavaConfig(
        vision_config=vision(**VISION),
        text_config=transformers.LlamaConfig(vocab_size=len(words), **TEXT),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        vision_feature_select_strategy=strategy, vision_feature_layer=-2 if clip else -1,
        image_seq_length=16,
    )  # fmt: skip
    size = {"height": 32, "width": 32}
    pictures: Any = (
        transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=size)
        if clip
        else transformers.SiglipImageProcessorPil(size=size)
    )
    processor = transformers.LlavaProcessor(
        pictures, words, patch_size=8, vision_feature_select_strategy=strategy,
        num_additional_image_tokens=int(clip), chat_template=template,
    )  # fmt: skip
    transformers.LlavaForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def save_smolvlm(folder: Path, splits: bool = False) -> Path:
    """SmolVLM, one picture of which may be read in several parts."""
    torch.manual_seed(0)
    cells = [f"<row_{row}_col_{column}>" for row in range(1, 4) for column in range(1, 4)]
    marks = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *cells]
    words = tokenizer(*marks)
    config = transformers.SmolVLMConfig(
        vision_config=VISION, scale_factor=2, pad_token_id=words.pad_token_id,
        text_config=transformers.LlamaConfig(vocab_size=len(words), **TEXT).to_dict(),
        image_token_id=words.convert_tokens_to_ids("<image>"),
    )  # fmt: skip
    pictures = transformers.SmolVLMImageProcessorPil(
        size={"longest_edge": 64 if splits else 32}, max_image_size={"longest_edge": 32},
        do_image_splitting=splits,
    )  # fmt: skip
    processor = transformers.Idefics3Processor(pictures, words, image_seq_len=4, chat_template=CHAT)
    transformers.SmolVLMForConditionalGeneration(config).save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def save_qwen(folder: Path) -> Path:
    """Qwen2.5-VL, whose own processor needs torchvision; a picture takes tokens by its size."""
    torch.manual_seed(0)
    marks = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
    words = tokenizer(*marks)
    start, end, image, video = (words.convert_tokens_to_ids(mark) for mark in marks)
    rope = {"type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    config = transformers.Qwen2_5_VLConfig(
        vision_config={"depth": 2, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2,
                       "out_hidden_size": 32, "patch_size": 8, "window_size": 32,
                       "fullatt_block_indexes": [1]},
        text_config={"vocab_size": len(words), **TEXT, "rope_parameters": rope,
                     "max_window_layers": 2, "eos_token_id": words.eos_token_id},
        image_token_id=image, video_token_id=video, vision_start_token_id=start,
        vision_end_token_id=end,
    )  # fmt: skip
    model = transformers.Qwen2_5_VLForConditionalGeneration(config)
    model.save_pretrained(folder)
    words.save_pretrained(folder)
    transformers.Qwen2VLImageProcessorPil(
        size={"shortest_edge": 16 * 16, "longest_edge": 64 * 64}, patch_size=8
    ).save_pretrained(folder)
    mark = "<|vision_start|><|image_pad|><|vision_end|>"
    (folder / "chat_template.jinja").write_text(CHAT.replace("<image>\n", mark))
    (folder / "processor_config.json").write_text('{"processor_class": "Qwen2_5_VLProcessor"}')
    return folder


def save_onevision(folder: Path) -> Path:
    """LLaVA-OneVision, whose own processor needs torchvision; pictures are read in parts."""
    torch.manual_seed(0)
    words = tokenizer("<image>", "<video>")
    config = transformers.LlavaOnevisionConfig(
        vision_config=transformers.SiglipVisionConfig(**VISION, vision_use_head=False).to_dict(),
        text_config=transformers.Qwen2Config(vocab_size=len(words), **TEXT).to_dict(),
        image_token_index=words.convert_tokens_to_ids("<image>"),
        video_token_index=words.convert_tokens_to_ids("<video>"),
        image_grid_pinpoints=[[32, 32], [32, 64], [64, 32]], vision_feature_layer=-1,
        image_seq_length=16,
    )  # fmt: skip
    transformers.LlavaOnevisionForConditionalGeneration(config).save_pretrained(folder)
    words.save_pretrained(folder)
    transformers.LlavaOnevisionImageProcessorPil(
        size={"height": 32, "width": 32}, image_grid_pinpoints=[[32, 32], [32, 64], [64, 32]]
    ).save_pretrained(folder)
    (folder / "chat_template.jinja").write_text(CHAT)
    told = {"processor_class": "LlavaOnevisionProcessor", "num_image_tokens": 16,
            "vision_feature_select_strategy": "full"}  # fmt: skip
    (folder / "processor_config.json").write_text(json.dumps(told))
    return folder
