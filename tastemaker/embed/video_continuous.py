"""The best configuration for each budget when sizes may be anything in between.

On a grid the best one jumps, so how it moves with data is 0 almost everywhere. Between the ends of
the grid, in logarithms, least error under a budget is a geometric program: errors and cost are sums
of powers, so both are convex there. A log barrier and Newton steps solve many at once, and how the
solution moves with n is the derivative of the equation that it solves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tastemaker.embed.video_forms import EXAMPLES, Floats, Places, PowerSum

_BARRIERS = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7)
"""Weights of the barrier, each begun where the last ended."""
_NEWTON, _HALVINGS = 20, 30
_NEAR = 0.05
"""Part of the room to a wall that a step leaves: at the wall the curvature is without end."""


@dataclass(frozen=True, eq=False)
class Box:
    """What lies between the ends of a grid."""

    low: Floats
    """(3,) logs of the least N, T and V"""
    high: Floats
    """(3,) logs of the most"""

    @staticmethod
    def of(grid: Floats) -> Box:
        """The box around (G, 3) configurations; a side of no length is widened by a hair."""
        low, high = np.log(grid.min(axis=0)), np.log(grid.max(axis=0))
        return Box(low - 1e-6, high + 1e-6)


@dataclass(frozen=True, eq=False)
class _Programs:
    """B of them: least log error, within log budget and box, at a fixed n."""

    error: PowerSum
    cost: PowerSum
    """its coefficients are divided by the budget"""
    box: Box
    logs_n: Floats
    """(B,)"""

    def of(self, rows: Places) -> _Programs:
        error, cost = (PowerSum(s.logs[rows], s.powers[rows]) for s in (self.error, self.cost))
        return replace(self, error=error, cost=cost, logs_n=self.logs_n[rows])

    def solve(self) -> Floats:
        """(B, 3) logs of the best; NaN where the budget pays for nothing inside the box."""
        edge = self.box.low + 1e-4 * (self.box.high - self.box.low)
        z = np.repeat(edge[None], len(self.logs_n), axis=0)
        z[_logarithm(self.cost, self._with_n(z))[0] >= 0] = np.nan
        for weight in _BARRIERS:
            live = np.flatnonzero(np.isfinite(z[:, 0]))
            for _ in range(_NEWTON if len(live) else 0):
                z[live], fall = self.of(live)._newton(z[live], weight)
                live = live[fall > 1e-4 * weight]
                if not len(live):
                    break
        return z

    def moves(self, z: Floats) -> Floats:
        """(B, 3) by how much each log of the best grows with log n."""
        _, curved, mixed = self._slopes(z, _BARRIERS[-1])
        return np.asarray(np.linalg.solve(curved, -mixed[:, :, None])[:, :, 0], np.float64)

    def _with_n(self, z: Floats) -> Floats:
        return np.column_stack([z, self.logs_n])

    def _room(self, z: Floats) -> Floats:
        """(B, 7) what is left of the budget and to both sides of the box, above 0 inside."""
        slack = -_logarithm(self.cost, self._with_n(z))[0]
        return np.column_stack([slack, z - self.box.low, self.box.high - z])

    def _value(self, z: Floats, room: Floats, weight: float) -> Floats:
        """Log error plus the barrier."""
        walls = np.log(np.where(room > 0, room, 1)).sum(axis=1)
        value: Floats = _logarithm(self.error, self._with_n(z))[0] - weight * walls
        return value

    def _slopes(self, z: Floats, weight: float) -> tuple[Floats, Floats, Floats]:
        """Slope and curvature of the same, and how the slope changes with log n."""
        _, slope, curved, shares = _logarithm(self.error, self._with_n(z))
        mixed = np.einsum("bt,btf,bt->bf", shares, self.error.powers, self.error.powers[:, :, -1])
        mixed -= slope * slope[:, -1:]
        dear, dear_slope, dear_curved, _ = _logarithm(self.cost, self._with_n(z))
        slope, curved, mixed = slope[:, :3], curved[:, :3, :3], mixed[:, :3]
        dear_slope, dear_curved = dear_slope[:, :3], dear_curved[:, :3, :3]
        below, above, slack = z - self.box.low, self.box.high - z, -dear[:, None]
        slope = slope + weight * (1 / above - 1 / below + dear_slope / slack)
        outer = dear_slope[:, :, None] * dear_slope[:, None, :] / slack[:, :, None] ** 2
        curved = curved + weight * (dear_curved / slack[:, :, None] + outer)
        walls = weight * (1 / above**2 + 1 / below**2)
        return slope, curved + walls[:, :, None] * np.eye(3), mixed

    def _newton(self, z: Floats, weight: float) -> tuple[Floats, Floats]:
        """A step, halved until it stays inside and is lower, and how far the value may fall."""
        slope, curved, _ = self._slopes(z, weight)
        step = -np.linalg.solve(curved, slope[:, :, None])[:, :, 0]
        room, size = self._room(z), np.ones(len(z))
        value, fall = self._value(z, room, weight), np.einsum("bf,bf->b", slope, step)
        worse = np.ones(len(z), bool)
        for _ in range(_HALVINGS):
            moved = z + size[:, None] * step
            left = self._room(moved)
            lower = self._value(moved, left, weight) <= value + 1e-4 * size * fall + 1e-15
            worse = ~(lower & (left > _NEAR * room).all(axis=1))
            if not worse.any():
                break
            size[worse] /= 2
        size[worse] = 0
        return z + size[:, None] * step, np.where(worse, 0, np.abs(fall))


def _logarithm(total: PowerSum, z: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Log of each sum at its (4,) logs: value, slope, curvature, and shares of the terms."""
    exponents = total.logs + np.einsum("btf,bf->bt", total.powers, z)
    top = exponents.max(axis=1, keepdims=True)
    parts = np.exp(exponents - top)
    whole = parts.sum(axis=1, keepdims=True)
    shares = parts / whole
    slope = np.einsum("bt,btf->bf", shares, total.powers)
    outer = (shares[:, :, None] * total.powers).transpose(0, 2, 1) @ total.powers
    value = (top + np.log(whole))[:, 0]
    return value, slope, outer - slope[:, :, None] * slope[:, None, :], shares


def _programs(law: PowerSum, cost: PowerSum, budgets: Floats, sizes: Floats, box: Box) -> _Programs:
    """Every refit at every budget and n, in the order (budget, n, refit)."""
    each, refits = len(budgets) * len(sizes), len(law)
    error = PowerSum(np.tile(law.logs, (each, 1)), np.tile(law.powers, (each, 1, 1)))
    paid = np.repeat(budgets, len(sizes) * refits)
    logs = cost.logs - np.log(paid)[:, None]
    dear = PowerSum(logs, np.broadcast_to(cost.powers, (len(paid), *cost.powers.shape[1:])))
    logs_n = np.tile(np.repeat(np.log(sizes), refits), len(budgets))
    assert error.powers.shape[2] == EXAMPLES + 1
    return _Programs(error, dear, box, logs_n)


def continuous(law: PowerSum, cost: PowerSum, budgets: Floats, sizes: Floats, box: Box) -> Floats:
    """(B, S, R, 3) the configuration of least error of each refit at each budget and n.

    Args:
        law: R refits of an error.
        cost: One sum of powers.
        budgets: (B,) FLOPs; where one pays for nothing inside the box, the result is NaN.
        sizes: (S,) fine-tuning examples.
        box: Ends of the configurations.
    """
    x: Floats = np.exp(_programs(law, cost, budgets, sizes, box).solve())
    return x.reshape(len(budgets), len(sizes), len(law), 3)


def elasticities(law: PowerSum, cost: PowerSum, budgets: Floats, sizes: Floats, box: Box) -> Floats:
    """(R, 3) percent by which the best N, T and V grow with a percent more examples.

    The mean over budgets and numbers of examples; of a size at an end of the box it is 0. Budgets
    that pay for nothing are left out; NaN where all of them do.
    """
    programs = _programs(law, cost, budgets, sizes, box)
    z = programs.solve()
    moved, solved = np.full(z.shape, np.nan), np.flatnonzero(np.isfinite(z[:, 0]))
    if not len(solved):
        return np.full((len(law), 3), np.nan)
    moved[solved] = programs.of(solved).moves(z[solved])
    mean: Floats = np.nanmean(moved.reshape(-1, len(law), 3), axis=0)
    return mean
