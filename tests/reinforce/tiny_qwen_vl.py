"""A Qwen2.5-VL of a few thousand parameters, with a processor that does without video."""

from collections.abc import Sequence
from typing import Any

import pytest
import torch

transformers = pytest.importorskip("transformers", reason="needs tastemaker[rl]")
pytest.importorskip("trl", reason="needs tastemaker[rl]")
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers  # noqa: E402
from transformers.models.qwen2_5_vl.processing_qwen2_5_vl import Qwen2_5_VLProcessor  # noqa: E402
from transformers.processing_utils import ProcessorMixin  # noqa: E402

MARKS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
         "<|image_pad|>", "<|video_pad|>", "<tool_call>", "</tool_call>"]  # fmt: skip


class Pictures(Qwen2_5_VLProcessor):
    """Without the part for videos, which needs torchvision."""

    def __init__(self, image_processor: Any, tokenizer: Any, chat_template: str) -> None:
        self.image_token, self.video_token = "<|image_pad|>", "<|video_pad|>"
        self.image_token_id = tokenizer.convert_tokens_to_ids(self.image_token)
        self.video_token_id = tokenizer.convert_tokens_to_ids(self.video_token)
        ProcessorMixin.__init__(self, image_processor, tokenizer, chat_template=chat_template)


def tokenizer_of(texts: Sequence[str]) -> Any:
    whole: Any = Tokenizer(models.BPE())
    whole.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    whole.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=700, special_tokens=MARKS, show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    whole.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=whole, eos_token="<|im_end|>", pad_token="<|endoftext|>",
        extra_special_tokens=["<|im_start|>", "<|vision_start|>", "<|vision_end|>",
                              "<|image_pad|>", "<|video_pad|>"],
    )  # fmt: skip


def tiny_qwen(texts: Sequence[str], template: str) -> tuple[Any, Any]:
    """The model and its processor."""
    torch.manual_seed(0)
    words = tokenizer_of(texts)
    ids = words.convert_tokens_to_ids
    rope = {"type": "default", "mrope_section": [2, 3, 3], "rope_theta": 10000.0}
    config = transformers.Qwen2_5_VLConfig(
        vision_config={"depth": 1, "hidden_size": 16, "intermediate_size": 32, "num_heads": 2,
                       "out_hidden_size": 32, "patch_size": 8, "window_size": 32,
                       "fullatt_block_indexes": [0]},
        text_config={"vocab_size": len(words), "hidden_size": 32, "intermediate_size": 64,
                     "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2,
                     "max_position_embeddings": 2048, "rope_parameters": rope,
                     "max_window_layers": 2, "eos_token_id": words.eos_token_id,
                     "pad_token_id": words.pad_token_id, "bos_token_id": None},
        image_token_id=ids("<|image_pad|>"), video_token_id=ids("<|video_pad|>"),
        vision_start_token_id=ids("<|vision_start|>"), vision_end_token_id=ids("<|vision_end|>"),
        tie_word_embeddings=True,
    )  # fmt: skip
    model = transformers.Qwen2_5_VLForConditionalGeneration(config)
    pictures = transformers.Qwen2VLImageProcessorPil(
        size={"shortest_edge": 16 * 16, "longest_edge": 64 * 64}, patch_size=8
    )
    return model, Pictures(pictures, words, template)
