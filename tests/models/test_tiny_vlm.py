"""Tiny models: their shape, their tokens, and what a packaged language model brings."""

from dataclasses import asdict
from typing import Any

import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.models.library import writing_model
from tastemaker.models.packaged import locate
from tastemaker.models.tiny_vlm import TinyVision, tiny_vision_model
from tastemaker.models.vlm import Asked
from tests.models.conftest import save_chatty
from tests.models.vision_models import TEXTS, picture, tiny


def test_equal_texts_and_seeds_make_equal_models() -> None:
    torch.manual_seed(3)
    before = torch.rand(1)
    torch.manual_seed(3)
    one, other, third = tiny(1), tiny(1), tiny(2)
    assert torch.equal(torch.rand(1), before)
    tokens = [vision.processor.tokenizer.get_vocab() for vision in (one, other)]
    assert tokens[0] == tokens[1]
    for (name, mine), its in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, its), name
    assert one.identity == other.identity != third.identity


def test_its_tokens_are_made_of_the_texts() -> None:
    vision = tiny(vocabulary=320)
    words = vision.processor.tokenizer
    assert 262 < len(words) <= 320
    known, strange = (len(words(text)["input_ids"]) for text in (TEXTS[0], "zyx wvu " * 4))
    assert known < len(TEXTS[0]) / 3 and strange > 25
    assert len(tiny_vision_model(TinyVision(dim=32), []).processor.tokenizer) == 262


def test_its_shape_is_what_was_asked_for() -> None:
    shape = TinyVision(side=32, vision_dim=24, dim=48, layers=1, heads=3, context=99)
    vision = tiny_vision_model(shape, TEXTS)
    assert (vision.dim, vision.image_tokens, vision.picture_side) == (48, 4, 32)
    assert vision.most_tokens == 99 and len(vision.model.model.language_model.layers) == 1
    assert sum(one.numel() for one in tiny_vision_model(TinyVision(), TEXTS).parameters()) < 1.2e6
    assert not vision.training


@pytest.mark.parametrize(
    "values",
    [{"side": 60}, {"side": 0}, {"side": 2000}, {"dim": 30}, {"dim": 0}, {"layers": 0},
     {"heads": 0}, {"vocabulary": 200}, {"context": 1}, {"tower": "vit"}, {"language": "nowhere"},
     {"tower": "efficientnet-lite0", "side": 48}, {"vision_dim": 0}],
    ids=str,
)  # fmt: skip
def test_shapes_that_are_none_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(BadInput):
        tiny_vision_model(TinyVision(**asdict(TinyVision()) | values), TEXTS)


def test_a_language_model_of_this_machine_goes_on_as_it_was(tmp_path: Any) -> None:
    folder = save_chatty(tmp_path / "chatty")
    vision = tiny_vision_model(TinyVision(language=str(folder), context=100), TEXTS)
    whole = writing_model(folder)
    words = vision.processor.tokenizer
    assert vision.mark == len(whole.tokenizer) and vision.most_tokens == 100
    rows = vision.rows([Asked("th: [the]")])
    text = "<|start|>user\nth: [the]<|end|>\n<|start|>assistant\n"
    assert rows.tokens[0].tolist() == whole.tokenizer(text)["input_ids"]
    model: Any = whole.model
    with torch.no_grad():
        said = model(input_ids=rows.tokens).logits
        made = vision.model(**vision.inputs(rows)).logits[..., : said.shape[2]]
        torch.testing.assert_close(made, said, rtol=0, atol=1e-5)
        pictured = vision.states(vision.rows([Asked("the", picture())]))
    assert pictured.isfinite().all() and words.decode([vision.mark]) == "<image>"


@pytest.mark.slow
def test_smollm2_still_answers() -> None:
    try:
        locate("smollm2")
    except BadInput as error:
        pytest.skip(error.what)
    vision = tiny_vision_model(TinyVision(language="smollm2"), [])
    assert "Paris" in vision.write([Asked("What is the capital of France?")], 12)[0]
