"""The one table of neural models: what each is made of, how it is trained and searched.

A coming model is a line here, its name and title in `options.MODELS`, and a file of its own.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tastemaker.data.ground import Ground
from tastemaker.errors import BadInput
from tastemaker.models.identity import model_identity
from tastemaker.models.packaged import locate
from tastemaker.recommend import presets
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig
from tastemaker.recommend.hllm import HLLM
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.mtmh import MTMH
from tastemaker.recommend.mtmh_shape import MTMHConfig
from tastemaker.recommend.persrec import PerSRec
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.recommend.vrec import VRec
from tastemaker.recommend.vrec_shape import VRecConfig
from tastemaker.seams import Learned, Shape


@dataclass(frozen=True)
class Backbone:
    """One neural model."""

    model: type[Learned]
    config: type[Shape]
    """its options; each model has a class of its own"""
    presets: Mapping[str, presets.Preset]
    """the first, `default`, is what `tastemaker run` takes"""
    space: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """option → values that a search draws from, beside those of every model"""


NEURAL: dict[str, Backbone] = {
    "sasrec": Backbone(SASRec, SASRecConfig, presets.SASREC, {"model.inner": (64, 256, 512)}),
    "esasrec": Backbone(ESASRec, ESASRecConfig, presets.ESASREC),
    "hstu": Backbone(
        HSTU,
        HSTUConfig,
        presets.HSTU,
        {"model.time": ("past", "none"), "model.temperature": (0.03, 0.05, 0.1)},
    ),
    "hllm": Backbone(
        HLLM,
        HLLMConfig,
        presets.HLLM,
        {"model.pooling": ("mean", "item"), "fit.weight_decay": (0.0, 0.01)},
    ),
    "priors": Backbone(
        Priors,
        PriorsConfig,
        presets.PRIORS,
        {
            "model.composition": ("hierarchical", "multiplicative", "additive"),
            "model.weighting": ("frequency", "uniform"),
            "model.merge": ("combine", "average", "calibrated"),
            "model.in_group": (0.5, 1.0),
        },
    ),
    "persrec": Backbone(
        PerSRec,
        PerSRecConfig,
        presets.PERSREC,
        {
            "model.old": (50, 150, 450),
            "model.recent": (20, 50),
            "model.tokens": (1, 4, 16),
            "model.hidden": (0.0, 0.2),
        },
    ),
    "mtmh": Backbone(
        MTMH,
        MTMHConfig,
        presets.MTMH,
        {
            "model.relevance_weight": (0.0, 0.03, 0.1, 0.3, 1.0),
            "model.trade": (0.0, 0.03, 0.1, 0.3, 1.0),
            "model.relevance": (0.0, 0.1, 0.2, 0.3, 0.5),
        },
    ),
    "vrec": Backbone(
        VRec,
        VRecConfig,
        presets.VREC,
        {
            "model.thoughts": (0, 1, 2, 4),
            "model.classes": (10, 25, 50),
            "model.beta": (0.3, 1.0),
            "fit.weight_decay": (0.0, 0.1),
        },
    ),
}
"""Name → neural model."""


def build(config: Shape, ground: Ground) -> Learned:
    """The model that a configuration shapes, with fresh weights."""
    return NEURAL[name_of(config)].model.build(config, ground)


def name_of(config: Shape) -> str:
    """Name of the model that a configuration shapes.

    Raises:
        BadInput: If it is of none.
    """
    for name, backbone in NEURAL.items():
        if type(config) is backbone.config:
            return name
    known = ", ".join(backbone.config.__name__ for backbone in NEURAL.values())
    what = f"{type(config).__name__} shapes no model."
    raise BadInput(what, "model options", f"Give one of {known}.")


def backbone_of(name: str) -> Backbone:
    """The neural model called `name`.

    Raises:
        BadInput: If there is none; names the nearest.
    """
    if name not in NEURAL:
        near = difflib.get_close_matches(name, NEURAL, n=1)
        fix = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(NEURAL)}."
        raise BadInput(f"No neural model is called {name!r:.80}.", "model", fix)
    return NEURAL[name]


def foreign_models(config: Shape) -> dict[str, str]:
    """Option → identity of the model on this machine that it names.

    Raises:
        BadInput: If there is no such model.
    """
    return {option: model_identity(locate(name)) for option, name in config.foreign().items()}
