"""A model of a few heads whose every score is given, for tests of what is steered."""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from tastemaker.data.contexts import Contexts
from tastemaker.seams import HeadFacts, Steering


@dataclass(frozen=True, eq=False)
class Voices:
    """Heads short · like, long · like, short · buy, long · buy; the best wins."""

    given: Tensor
    """(B, 4, I) what each head gives each item; −inf: it does not know it"""

    @property
    def head_names(self) -> tuple[str, ...]:
        return tuple(f"{end} · {kind}" for kind in ("like", "buy") for end in ("short", "long"))

    @property
    def intents(self) -> Mapping[str, tuple[str, ...]]:
        return {"event": ("like", "buy"), "horizon": ("short", "long"), "alone": ("one",)}

    def heads_of(self, axis: str, group: int) -> Tensor:
        grid = torch.zeros(2, 2, dtype=torch.bool)
        grid.select(list(self.intents).index(axis), group)[...] = True
        return grid.flatten()

    def head_facts(self, train: Contexts) -> HeadFacts:
        ones = torch.ones(4, dtype=torch.int64)
        return HeadFacts(ones, ones * (torch.arange(4) < 2), ones / 4, 7)

    def score(self, contexts: Contexts) -> Tensor:
        return self.spoken(contexts)[0]

    def spoken(
        self, contexts: Contexts, steering: Steering | None = None, span: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        given = self.given.clone()
        if steering is not None:
            given[:, ~steering.active] = -torch.inf
            if steering.boosts is not None and span is not None:
                given += span[:, None, None] * steering.boosts[:, None]
        scores, heads = given.max(1)
        return scores, torch.where(scores == -torch.inf, -1, heads)
