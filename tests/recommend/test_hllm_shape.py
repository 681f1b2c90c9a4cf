"""Options of HLLM: what they refuse, how they suit a catalogue, which models they name."""

import pytest

from tastemaker.errors import BadInput
from tastemaker.recommend.hllm_shape import HLLMConfig


def test_negatives_are_sampled_unless_it_is_named_otherwise() -> None:
    assert HLLMConfig().suited(10).loss == "sampled"
    assert HLLMConfig(loss="softmax").suited(30_000).loss == "softmax"


def test_models_on_this_machine_are_told_from_fresh_ones() -> None:
    assert HLLMConfig().foreign() == {}
    named = HLLMConfig(item_model="minilm", user_model="some/folder")
    assert named.foreign() == {"item_model": "minilm", "user_model": "some/folder"}


@pytest.mark.parametrize("wrong", [{"max_tokens": 0}, {"fresh": 0}, {"heads": 3}])
def test_shapes_that_cannot_be_built(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong))):
        HLLMConfig(**wrong)  # type: ignore[arg-type]
