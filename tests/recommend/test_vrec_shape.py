"""Options that cannot be built are refused, and all are plain values."""

from dataclasses import replace

import pytest

from tastemaker.config import from_json, to_json
from tastemaker.errors import BadInput
from tastemaker.recommend.vrec_shape import VRecConfig


@pytest.mark.parametrize(
    "wrong",
    [{"dim": 6, "heads": 2}, {"dim": 0}, {"thoughts": -1}, {"classes": 1}, {"dropout": 1.0},
     {"beta": -1.0}, {"gamma": float("nan")}, {"joint_lr": float("inf")}, {"beams": -1},
     {"certain": -1}, {"thoughts": 1.5}, {"thinking": "deep"}, {"verifiers": "text"},
     {"verifiers": ("auto", "text")}, {"verifiers": tuple(map(str, range(17)))},
     {"verifiers": ("text", "text")}, {"levels": 0}, {"history": 10**9},
     {"language": "smollm2", "lora": -1}, {"language": "smollm2", "lora": 10**4},
     {"language": "smollm2", "title_tokens": 0}, {"language": "smollm2", "language_lr": -1.0}],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replace(VRecConfig(), **wrong)  # type: ignore[arg-type]


def test_options_go_through_json() -> None:
    config = VRecConfig(thoughts=0, verifiers=(), thinking="constant")
    assert from_json(VRecConfig, to_json(config), "here") == config
    assert config.suited(10) == config and config.foreign() == {}


@pytest.mark.parametrize(
    "idle",
    [{"lora": 8}, {"title_tokens": 8}, {"language_lr": 1.0},
     {"language": "smollm2", "dropout": 0.1}, {"language": "smollm2", "dim": 64},
     {"language": "smollm2", "codes": "events"}],
)  # fmt: skip
def test_an_option_of_the_other_language_is_refused(idle: dict[str, object]) -> None:
    with pytest.raises(BadInput, match="does nothing"):
        replace(VRecConfig(), **idle)  # type: ignore[arg-type]


def test_a_language_model_is_a_foreign_one() -> None:
    config = VRecConfig(language="some/folder", lora=4)
    assert config.foreign() == {"language": "some/folder"}
    assert from_json(VRecConfig, to_json(config), "here") == config
