"""Shape and loss of a next-item model: the options that every such model has, and their limits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, Self

from tastemaker.errors import BadInput

Loss = Literal["auto", "softmax", "sampled", "gbce"]
FEW_ITEMS = 20_000
"""Items up to which `auto` takes the full softmax (backbones §4)."""
MOST = {"dim": 65_536, "layers": 1_000, "heads": 65_536}
"""Largest sizes; a million for the others."""


@dataclass(frozen=True)
class NextItemConfig:
    """Shape and loss that every next-item model has."""

    dim: int = 64
    """width D of items and states."""
    layers: int = 2
    """blocks."""
    heads: int = 2
    """attention heads; divides `dim`."""
    dropout: float = 0.2
    """share of activations dropped in training."""
    history: int = 50
    """events read, N; older ones are not seen."""
    loss: Loss = "auto"
    """full softmax over all items, sampled softmax, or gBCE; auto: full up to 20,000 items, then
    sampled."""
    negatives: int = 512
    """negatives shared by a batch, for the sampled losses."""
    drawn: Literal["uniform", "popular"] = "uniform"
    """items drawn as negatives: all trained ones alike, so that scores tell how probable an item
    is; or as often as they were chosen, so that scores tell what is particular to the user."""
    calibration: float = 0.75
    """gBCE's t: 0 trusts the sampled scores, 1 corrects them in full."""

    def __post_init__(self) -> None:
        """Refuse shapes that cannot be built."""
        for name in ("dim", "layers", "heads", "history", "negatives"):
            self.at_least_one(name)
        if self.dim % self.heads:
            what = f"dim = {self.dim} does not divide into heads = {self.heads}."
            raise BadInput(what, "model options", "Choose heads that divide dim.")
        if not 0 <= self.dropout < 1:
            what = f"dropout = {self.dropout} is not in [0, 1)."
            raise BadInput(what, "model options", "Use 0.2.")

    def at_least_one(self, name: str) -> None:
        """Refuse a size below 1, or so large that no machine holds the model."""
        value, most = vars(self)[name], MOST.get(name, 1_000_000)
        if not 1 <= value <= most:
            what = f"{name} = {value} is too {'small' if value < 1 else 'large'}."
            raise BadInput(what, "model options", f"Give a whole number from 1 to {most:,}.")

    @property
    def sampled(self) -> int:
        """Negatives a batch must carry: 0 for the full softmax; `auto` may need them."""
        return 0 if self.loss == "softmax" else self.negatives

    def suited(self, num_items: int, times: bool = True) -> Self:
        """The same model for a catalogue of I items and a log with times or in order alone."""
        if self.loss != "auto":
            return self
        return replace(self, loss="softmax" if num_items <= FEW_ITEMS else "sampled")

    def foreign(self) -> dict[str, str]:
        """Option → the model on this machine that it names: none."""
        return {}
