"""Options of PerSRec: which backbone, and how much of a history goes into how many tokens."""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Annotated, Self

from tastemaker.errors import BadInput
from tastemaker.recommend.backbone_option import NAMED, BackboneConfig
from tastemaker.recommend.persrec_layout import Layout
from tastemaker.recommend.sasrec import SASRecConfig

TOKENS = "tokens.safetensors"
"""File of the tokens; the backbone's weights stand where it alone would write them."""


@dataclass(frozen=True)
class PerSRecConfig:
    """What reads a history, and how it is compressed."""

    backbone: Annotated[BackboneConfig, NAMED] = field(default_factory=SASRecConfig)
    """what reads histories: sasrec, esasrec, hstu or hllm, with options as in hstu,layers=4"""
    old: int = 150
    """old events that are compressed, P; 0: none"""
    recent: int = 50
    """newest events that are read as they are, R"""
    tokens: int = 4
    """learnable tokens that stand for the old events, k; 0: old events are not read"""
    parts: int = 1
    """parts of the old events, each with its share of the tokens; divides both"""
    hidden: float = 0.0
    """share of recent events hidden in training, so that more must stand in the tokens"""

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            BadInput: Naming the option.
        """
        for name, least, most in (("old", 0, 10**6), ("recent", 1, 10**6), ("tokens", 0, 10**4)):
            if not least <= vars(self)[name] <= most:
                what = f"{name} = {vars(self)[name]} is out of range."
                fix = f"Give a whole number from {least} to {most:,}."
                raise BadInput(what, "model options", fix)
        if self.parts < 1 or self.old % self.parts or self.tokens % self.parts:
            what = f"{self.old} old events and {self.tokens} tokens do not divide in {self.parts}."
            raise BadInput(what, "--model.parts", "Choose parts that divide both.")
        if not 0 <= self.hidden < 1:
            what = f"hidden = {self.hidden} is out of range."
            raise BadInput(what, "model options", "Give 0 to below 1.")
        usual = next(one.default for one in fields(self.backbone) if one.name == "history")
        if self.backbone.history not in (usual, self.layout.length):
            what = f"The history of the backbone is not its own: {self.backbone.history}."
            raise BadInput(what, "--model.backbone", "Give --model.old and --model.recent.")
        if vars(self.backbone).get("time") == "request":
            what = "Tokens are made before the time of a request is known."
            raise BadInput(what, "--model.backbone", "Use time=past or time=none.")

    @property
    def layout(self) -> Layout:
        """Where everything stands."""
        return Layout(self.old, self.recent, self.tokens, self.parts)

    @property
    def inner(self) -> BackboneConfig:
        """The backbone, as long as the layout."""
        return replace(self.backbone, history=self.layout.length)

    @property
    def dim(self) -> int:
        """Width of the backbone."""
        return self.backbone.dim

    @property
    def history(self) -> int:
        """Newest events of a user that are read, at first hand or through tokens."""
        return self.old + self.recent

    def suited(self, num_items: int, times: bool = True) -> Self:
        """The same for a catalogue of I items and a log with times or in order alone."""
        return replace(self, backbone=self.backbone.suited(num_items, times))

    def foreign(self) -> dict[str, str]:
        """Option → the model on this machine that the backbone names."""
        return self.backbone.foreign()
