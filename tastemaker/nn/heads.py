"""Light heads after one state: each a residual block of its own, evaluated only where it is asked.

A head is Medusa's block, g(h) = h + silu(W·h + b), with W = 0 and b = 0 at the start, so that every
head begins as the state itself (spec priors §3.1). Heads stand on axes, such as groups of items and
horizons, and three compositions say which blocks a head is made of (§3.2):

    multiplicative  o_{c,s} = g_{c,s}(h)
    additive        o_c = g_c(h),  o_s = g_s(h)
    hierarchical    z_c = g_c(h),  o_{c,s} = g_{c,s}(z_c + e_s)

Source: arXiv 2511.10492; the block: Medusa, arXiv 2401.10774.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, cast, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from tastemaker.errors import BadInput
from tastemaker.nn.grouped import GroupedBlocks

Composition = Literal["hierarchical", "multiplicative", "additive"]


def into_corner(whole: Tensor, part: Tensor, was: Sequence[int], now: Sequence[int]) -> None:
    """Write a table of the first groups of each axis into one of more groups.

    Args:
        whole: (Π now, …), written to.
        part: (Π was, …).
        was: Groups of each axis.
        now: Groups of each axis, at least as many.
    """
    corner = tuple(slice(size) for size in was)
    whole.view((*now, *whole.shape[1:]))[corner] = part.reshape((*was, *part.shape[1:]))


class Blocks(nn.Module):
    """G residual blocks, g(h) = h + silu(W·h + b), each the identity at the start."""

    def __init__(self, count: int, dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(count, dim, dim))
        self.bias = nn.Parameter(torch.zeros(count, dim))

    def __call__(self, rows: Tensor, groups: Tensor) -> Tensor:
        """`forward`, typed."""
        return cast(Tensor, super().__call__(rows, groups))

    def forward(self, rows: Tensor, groups: Tensor) -> Tensor:
        """(T, D) rows, each through the block of its group (T,); blocks not asked cost nothing."""
        weight, bias = self.weight.to(rows.dtype), self.bias.to(rows.dtype)
        with torch.autocast(rows.device.type, enabled=False):
            out: Tensor = GroupedBlocks.apply(rows, groups, weight, bias)  # type: ignore[no-untyped-call]
        return out

    def each(self, states: Tensor) -> Tensor:
        """(G, B, D) state of every block from its own input (G, B, D), or from one (1, B, D)."""
        own = states.expand(len(self.weight), -1, -1)
        return own + F.silu(torch.baddbmm(self.bias[:, None], own, self.weight.mT))


class Heads(nn.Module):
    """Heads on one or more axes, made of blocks as the composition says."""

    def __init__(self, dim: int, axes: Sequence[int], composition: Composition) -> None:
        """Heads that all begin as the state itself.

        Args:
            dim: D.
            axes: Groups on each axis, A of them, the outermost first.
            composition: How blocks make a head.

        Raises:
            BadInput: If there is no axis, an axis without a group, or no such composition.
        """
        super().__init__()
        if composition not in get_args(Composition):
            known = ", ".join(get_args(Composition))
            raise BadInput(f"There is no composition {composition!r}.", "composition", known)
        if not axes or min(axes) < 1:
            what = f"Heads need at least one group on every axis, not {list(axes)}."
            raise BadInput(what, "groups", "Give groupings that have members.")
        self.axes, self.composition, self.dim = tuple(axes), composition, dim
        inner = [math.prod(axes[: axis + 1]) for axis in range(len(axes))]
        counts = {"multiplicative": inner[-1:], "additive": axes, "hierarchical": inner}
        self.blocks = nn.ModuleList(Blocks(count, dim) for count in counts[composition])
        shifts = axes[1:] if composition == "hierarchical" else ()
        self.shifts = nn.ParameterList(torch.zeros(size, dim) for size in shifts)

    @property
    def count(self) -> int:
        """H, the number of heads."""
        return sum(self.axes) if self.composition == "additive" else math.prod(self.axes)

    @property
    def _levels(self) -> list[Blocks]:
        return [cast(Blocks, blocks) for blocks in self.blocks]

    def forward(self, states: Tensor, codes: Tensor, axis: int = 0) -> Tensor:
        """(T, D) output of the head of each row.

        Args:
            states: (T, D).
            codes: (T, A) int64, the row's group on each axis; where the composition is additive
                (T, 1), its group on one of them.
            axis: Which one.
        """
        if self.composition == "additive":
            return self._levels[axis](states, codes[:, 0])
        if self.composition == "multiplicative":
            return self._levels[0](states, self._flat(codes, len(self.axes)))
        for axis, blocks in enumerate(self._levels):
            if axis:
                states = states + self.shifts[axis - 1][codes[:, axis]].to(states.dtype)
            states = blocks(states, self._flat(codes, axis + 1))
        return states

    def every(self, states: Tensor) -> Tensor:
        """(B, D) → (B, H, D) outputs of all heads; of an additive one, axis after axis."""
        first, *rest = self._levels
        if self.composition == "additive":
            parts = [blocks.each(states[None]) for blocks in (first, *rest)]
            return torch.cat(parts).transpose(0, 1)
        heads = first.each(states[None])
        for axis, blocks in enumerate(rest):
            shifted = heads[:, None] + self.shifts[axis][:, None]
            heads = blocks.each(shifted.flatten(0, 1))
        return heads.transpose(0, 1)

    @torch.no_grad()
    def take(self, known: Heads) -> None:
        """Be, where they stand, heads of as many axes with fewer groups; the others stay."""
        for level, (mine, learned) in enumerate(zip(self._levels, known._levels, strict=True)):
            grids = [self._grid(level), known._grid(level)]
            into_corner(mine.weight, learned.weight, grids[1], grids[0])
            into_corner(mine.bias, learned.bias, grids[1], grids[0])
        for shift, before in zip(self.shifts, known.shifts, strict=True):
            into_corner(shift, before, before.shape[:1], shift.shape[:1])

    def _grid(self, level: int) -> tuple[int, ...]:
        """Groups that the blocks of a level are of, axis by axis."""
        if self.composition == "additive":
            return self.axes[level : level + 1]
        return self.axes if self.composition == "multiplicative" else self.axes[: level + 1]

    def _flat(self, codes: Tensor, axes: int) -> Tensor:
        """(T,) number of each row's combination of groups on the first axes."""
        flat = codes[:, 0]
        for axis in range(1, axes):
            flat = flat * self.axes[axis] + codes[:, axis]
        return flat
