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
     {"certain": 5}, {"beams": 10, "certain": 11},
     {"verifiers": ("text", "text")}, {"levels": 0}, {"history": 10**9}],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        replace(VRecConfig(), **wrong)  # type: ignore[arg-type]


def test_options_go_through_json() -> None:
    config = VRecConfig(thoughts=0, verifiers=(), thinking="constant")
    assert from_json(VRecConfig, to_json(config), "here") == config
    assert config.suited(10) == config and config.foreign() == {}
