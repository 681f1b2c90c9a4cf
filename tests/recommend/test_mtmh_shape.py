"""Options of the MTMH-style model: what cannot be built is refused, and what it names is known."""

import math

import pytest

from tastemaker.config import from_json, to_json
from tastemaker.errors import BadInput
from tastemaker.recommend.mtmh_shape import MTMHConfig


@pytest.mark.parametrize(
    "wrong",
    [{"dim": 0}, {"width": 10**9}, {"history": 0}, {"window": 0}, {"relevance": 1.1},
     {"id_dropout": -0.1}, {"relevance_weight": -1.0}, {"trade": math.nan}, {"minutes": -1.0},
     {"temperature": 0.0}, {"softness": 0.0}],
)  # fmt: skip
def test_what_cannot_be_built_is_refused_with_its_name(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput) as caught:
        MTMHConfig(**wrong)  # type: ignore[arg-type]
    assert next(iter(wrong)) in caught.value.what


def test_an_encoder_of_this_machine_is_a_foreign_model() -> None:
    assert MTMHConfig().foreign() == MTMHConfig(encoder="words").foreign() == {}
    assert MTMHConfig(encoder="minilm").foreign() == {"encoder": "minilm"}


def test_it_suits_any_catalogue_and_is_json() -> None:
    config = MTMHConfig(relevance_loss="margin", symmetric=True)
    assert config.suited(10**7, times=False) == config
    assert from_json(MTMHConfig, to_json(config), "a test") == config
