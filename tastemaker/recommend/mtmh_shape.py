"""Options of the MTMH-style model."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, Self

from tastemaker.errors import BadInput
from tastemaker.models.packaged import within_run

OWN = ("auto", "words", "none")
"""Encoders that need nothing installed."""


@dataclass(frozen=True)
class MTMHConfig:
    """Pairs, encoder, shape and losses; all defaults are ours."""

    encoder: str = "auto"
    """what makes vectors of titles and texts: `words` (learnt from the catalogue's words), `none`,
    a packaged model, or a path; `auto`: words where the catalogue has any."""
    pictures: str = "none"
    """what makes vectors of the catalogue's pictures, beside those of texts: `none`, a run of
    `tastemaker embed train`, a packaged encoder of pictures, or a folder; `auto`: the packaged
    efficientnet-lite0 where the catalogue names pictures."""
    dim: int = 64
    """length d of a vector of each head."""
    width: int = 64
    """width of the trunk; its hidden layer is twice as wide."""
    history: int = 5
    """newest events of a user that are triggers, when users are recommended to."""
    relevance: float = 0.3
    """weight g on meaning when users are recommended to, 0 to 1; a request for items like an item
    brings its own."""
    window: int = 5
    """events after an item that are paired with it."""
    minutes: float = 0.0
    """later events within so many minutes are paired with it too, where the log has times."""
    relevance_loss: Literal["listwise", "margin", "mse"] = "listwise"
    """how meaning is learnt: the whole order of a step's items, pairs that differ, or values."""
    relevance_weight: float = 1.0
    """λ, weight of meaning in the relevance head's loss; 0: that head does not learn."""
    trade: float = 0.1
    """μ, weight of meaning in the engagement head's loss."""
    uncertainty: bool = False
    """learn two weights of the losses beside λ and μ."""
    symmetric: bool = False
    """one engagement vector an item, whether it is asked from or may follow."""
    id_dropout: float = 0.1
    """share of a step's items whose id is not looked at, so that content alone must do."""
    temperature: float = 0.05
    """τ, by which scores are divided."""
    softness: float = 0.1
    """τ_t, by which cosines of content are divided in the listwise loss."""

    def __post_init__(self) -> None:
        """Refuse shapes and losses that cannot be built."""
        for name in ("dim", "width", "history", "window"):
            value, most = vars(self)[name], 65_536 if name in ("dim", "width") else 1_000_000
            if not 1 <= value <= most:
                self._refuse(name, f"Give a whole number from 1 to {most:,}.")
        for name in ("relevance", "id_dropout"):
            if not 0 <= vars(self)[name] <= 1:
                self._refuse(name, "Give a number from 0 to 1.")
        for name in ("relevance_weight", "trade", "minutes"):
            if not (0 <= vars(self)[name] < math.inf):
                self._refuse(name, "Give 0 or a number above it.")
        for name in ("temperature", "softness"):
            if not (1e-3 <= vars(self)[name] <= 1e3):
                self._refuse(name, "Give a number from 0.001 to 1,000.")

    def _refuse(self, name: str, fix: str) -> None:
        what = f"{name} = {vars(self)[name]} cannot be built."
        raise BadInput(what, "model options", fix)

    def suited(self, num_items: int, times: bool = True) -> Self:
        """The same: no option depends on the size of a catalogue."""
        return self

    def foreign(self) -> dict[str, str]:
        """Option → the encoder on this machine that it names."""
        named = {} if self.encoder in OWN else {"encoder": self.encoder}
        return named if self.pictures in OWN else named | {"pictures": within_run(self.pictures)}
