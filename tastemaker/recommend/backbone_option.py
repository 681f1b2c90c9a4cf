"""A model within a model's options: which backbone it stands on, as one word of a command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tyro
from torch import nn

from tastemaker.config import from_json, to_json
from tastemaker.data.ground import Ground
from tastemaker.errors import BadInput
from tastemaker.nn.next_item import NextItemModel
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig
from tastemaker.recommend.hllm import HLLM
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.seams import Paced, Starts

BackboneConfig = SASRecConfig | ESASRecConfig | HSTUConfig | HLLMConfig
BACKBONES: dict[str, type[BackboneConfig]] = {
    "sasrec": SASRecConfig,
    "esasrec": ESASRecConfig,
    "hstu": HSTUConfig,
    "hllm": HLLMConfig,
}
"""Name → options of a backbone that heads can stand on."""
MODELS: dict[str, type[NextItemModel]] = {
    "SASRecConfig": SASRec,
    "ESASRecConfig": ESASRec,
    "HSTUConfig": HSTU,
    "HLLMConfig": HLLM,
}
"""Name of the options of a backbone → the backbone."""


def fresh_backbone(config: BackboneConfig, ground: Ground) -> NextItemModel:
    """The backbone that its options shape, with fresh weights."""
    return MODELS[type(config).__name__].build(config, ground)


def opened_backbone(config: BackboneConfig, ground: Ground, run: Path) -> NextItemModel:
    """The backbone as it saved itself.

    Raises:
        ArtefactError: If the files are of another model or another catalogue, or damaged.
    """
    return MODELS[type(config).__name__].open(config, ground, run)


def paces(whole: nn.Module, backbone: NextItemModel) -> list[dict[str, Any]]:
    """Groups of the parameters of what holds a backbone, those of the backbone at its own pace."""
    if not isinstance(backbone, Paced):
        return [{"params": list(whole.parameters()), "share": 1.0}]
    own = {id(parameter) for parameter in backbone.parameters()}
    rest = [parameter for parameter in whole.parameters() if id(parameter) not in own]
    return [*backbone.parameter_groups(), {"params": rest, "share": 1.0}]


def start(backbone: NextItemModel) -> None:
    """Let a backbone look at its data before the first step, where it wants to."""
    if isinstance(backbone, Starts):
        backbone.start()


def written(backbone: BackboneConfig) -> list[str]:
    """A backbone as a command line names it: its name and what is not at its default."""
    (name,) = (name for name, kind in BACKBONES.items() if type(backbone) is kind)
    usual = to_json(BACKBONES[name]())
    other = [f"{key}={_text(value)}" for key, value in to_json(backbone).items()
             if value != usual[key]]  # fmt: skip
    return [",".join([name, *other])]


def read(words: list[str]) -> BackboneConfig:
    """The backbone that a command line names, such as `hstu` or `hstu,dim=32,layers=3`.

    Raises:
        ValueError: If there is none of that name, or it has no such option.
    """
    name, *options = words[0].split(",")
    if name not in BACKBONES:
        raise ValueError(f"there is no backbone {name!r}: give one of {', '.join(BACKBONES)}")
    values = to_json(BACKBONES[name]())
    for option in options:
        key, _, text = option.partition("=")
        key = key.replace("-", "_")
        if key not in values:
            raise ValueError(f"{name} has no option {key!r}: it has {', '.join(values)}")
        values[key] = _typed(type(values[key]), text)
    try:
        return from_json(BACKBONES[name], values, "--model.backbone")
    except BadInput as error:
        raise ValueError(str(error)) from None


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _typed(kind: type, text: str) -> object:
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{text!r} is neither true nor false")
        return text == "true"
    return kind(text)


NAMED = tyro.constructors.PrimitiveConstructorSpec[BackboneConfig](
    nargs=1,
    metavar="NAME[,OPTION=VALUE…]",
    instance_from_str=read,
    is_instance=lambda value: type(value) in BACKBONES.values(),
    str_from_instance=written,
)
"""How a backbone stands on a command line."""
