"""A backbone as one word of a command line."""

import pytest

from tastemaker.data.ground import Ground
from tastemaker.recommend.backbone_option import (
    BACKBONES,
    MODELS,
    fresh_backbone,
    read,
    written,
)
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.sasrec import SASRecConfig


def test_a_backbone_is_read_as_it_is_written() -> None:
    for config in (SASRecConfig(), HSTUConfig(dim=32, head_dim=8, position_bias=False, dropout=0)):
        assert read(written(config)) == config
    assert written(SASRecConfig()) == ["sasrec"]
    assert read(["hstu,head-dim=8,time=none"]) == HSTUConfig(head_dim=8, time="none")


@pytest.mark.parametrize(
    ("word", "says"),
    [
        ("sasrex", "sasrec, esasrec, hstu, hllm"),
        ("sasrec,width=3", "dim"),
        ("sasrec,dim=0", "dim = 0"),
        ("sasrec,dim=wide", "wide"),
        ("hstu,time=never", "never"),
        ("hstu,position-bias=maybe", "maybe"),
    ],
)
def test_what_is_no_backbone_is_refused_with_what_there_is(word: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        read([word])


def test_every_backbone_has_its_model() -> None:
    assert [kind.__name__ for kind in BACKBONES.values()] == list(MODELS)
    assert isinstance(fresh_backbone(HSTUConfig(dim=8, head_dim=4), Ground(5)), HSTU)
