"""A tiny model that is told of tools opens, writes, and is the same again by the same seed."""

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("transformers", reason="needs tastemaker[llm]")

from tastemaker.errors import BadInput
from tastemaker.models.tiny_tool_vlm import TinyTool, write_tiny_tool_model
from tastemaker.models.vlm import open_vision_model
from tastemaker.models.vlm_rows import Asked

TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}<|vision_start|><|image_pad|><|vision_end|>"
    "{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
SHAPE = TinyTool(side=32, dim=32, layers=1, heads=2, vocabulary=300)
TEXTS = ["What is it?", "It is 12, of 1990."]


def test_it_opens_and_answers_and_a_seed_makes_it_the_same(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_tiny_tool_model(tmp_path / name, SHAPE, TEXTS, TEMPLATE, seed)
    one, same, other = (open_vision_model(tmp_path / name) for name in "abc")
    picture = np.full((40, 60, 3), 200, np.uint8)
    assert len(one.write([Asked("What is it?", picture)], 3)) == 1
    weights = [dict(vision.model.named_parameters()) for vision in (one, same, other)]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])
    assert any(not torch.equal(weights[0][name], weights[2][name]) for name in weights[0])
    rows = one.rows([Asked("a", picture)])
    assert int((rows.tokens == one.mark).sum()) == 2, "60 x 40 becomes 32 x 16 or so"


def test_digits_are_read_one_by_one_and_calls_are_text(tmp_path: Path) -> None:
    write_tiny_tool_model(tmp_path / "a", SHAPE, TEXTS * 9, TEMPLATE)
    words = open_vision_model(tmp_path / "a").processor.tokenizer
    told = "1990 <tool_call> </tool_call>"
    ids = words(told)["input_ids"]
    assert words.decode(ids, skip_special_tokens=True) == told
    assert len(words("1990")["input_ids"]) == 4 and len(words("<tool_call>")["input_ids"]) == 1


@pytest.mark.parametrize(
    ("shape", "where"),
    [
        (TinyTool(side=8), "side"),
        (TinyTool(dim=50), "dim"),
        (TinyTool(vocabulary=100), "vocabulary"),
        (TinyTool(context=1), "context"),
        (TinyTool(layers=0), "layers"),
        (TinyTool(heads=0), "heads"),
    ],
)
def test_a_shape_that_is_none_is_refused(tmp_path: Path, shape: TinyTool, where: str) -> None:
    with pytest.raises(BadInput) as fault:
        write_tiny_tool_model(tmp_path / "a", shape, TEXTS, TEMPLATE)
    assert fault.value.where == where and not (tmp_path / "a").exists()
