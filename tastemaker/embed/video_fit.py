"""Fitting a form to measured errors: many starts and many bootstrap refits in one batch.

Least squares on log f, as the paper has it; the paper runs L-BFGS from each start, here
Levenberg-Marquardt steps of all starts and refits are taken together, with the exact Jacobian: the
log of a sum of exponentials of linear functions. Factors and errors are divided by their geometric
means, so units make no difference (the paper divides by 1 B, 8, 49 and 1 M).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from tastemaker.embed.video_forms import Floats, Layout, Places

_LOWEST, _HIGHEST = -18.0, 6.0
"""Of log coefficients and log exponents: below it a term is nothing beside the others."""
_TRIAL, _POLISH = 25, 150
"""Steps of every start, and of those that are gone on with."""
_FLAT = 1e-6
"""Relative fall of the loss below which a step is small."""
_STILL = 3
"""Small steps in a row after which a problem is solved."""
_HUBER = 1e-3
"""Residual of log f above which the loss is linear, where it is asked for."""


@dataclass(frozen=True)
class Problem:
    """Least squares on logs, many at once: B problems of P parameters over m points."""

    layout: Layout
    design: Floats
    """(m, T, P)"""
    target: Floats
    """(m,) log errors"""
    weights: Floats
    """(B, m) how often each point counts in each problem"""
    huber: bool = False

    def of(self, rows: Places) -> Problem:
        """The same, of some problems alone."""
        return replace(self, weights=self.weights[rows])

    def values(self, theta: Floats) -> Floats:
        """(B, P) free parameters → log coefficients and exponents."""
        free = self.layout.coefficients
        return np.concatenate([theta[:, :free], np.exp(theta[:, free:])], axis=1)

    def residuals(self, theta: Floats) -> tuple[Floats, Floats]:
        """(B, m) log f − target, and (B, T, m) the share of each term in f."""
        points, terms, width = self.design.shape
        flat = self.values(theta) @ self.design.transpose(1, 0, 2).reshape(-1, width).T
        logs = flat.reshape(-1, terms, points)
        top = logs.max(axis=1, keepdims=True)
        parts = np.exp(logs - top)
        total = parts.sum(axis=1, keepdims=True)
        return (top + np.log(total))[:, 0] - self.target, parts / total

    def losses(self, residuals: Floats) -> Floats:
        """(B,) weighted mean of what residuals cost."""
        size = np.abs(residuals)
        cost = residuals**2
        if self.huber:
            cost = np.where(size <= _HUBER, cost, 2 * _HUBER * size - _HUBER**2)
        loss: Floats = (self.weights * cost).sum(axis=1) / self.weights.sum(axis=1)
        return loss

    def normal(self, theta: Floats, residuals: Floats, shares: Floats) -> tuple[Floats, Floats]:
        """(B, P, P) JᵀWJ and (B, P) JᵀWr where `residuals` gave the other two."""
        jacobian = np.matmul(shares.transpose(2, 0, 1), self.design).transpose(1, 0, 2)
        free = self.layout.coefficients
        jacobian[:, :, free:] *= np.exp(theta[:, None, free:])
        weights = self.weights
        if self.huber:
            weights = weights * (_HUBER / np.maximum(np.abs(residuals), _HUBER))
        weighted = (jacobian * weights[:, :, None]).transpose(0, 2, 1)
        return weighted @ jacobian, (weighted @ residuals[:, :, None])[:, :, 0]


def descend(problem: Problem, theta: Floats, steps: int) -> tuple[Floats, Floats]:
    """Levenberg-Marquardt on every problem at once.

    Args:
        problem: B of them.
        theta: (B, P) starts.
        steps: Most steps of each.

    Returns:
        (B, P) where they ended and (B,) their losses.
    """
    theta = theta.copy()
    residuals, shares = problem.residuals(theta)
    losses = problem.losses(residuals)
    damping, still = np.full(len(theta), 1e-2), np.zeros(len(theta), np.int64)
    live, some = np.arange(len(theta)), problem
    for _ in range(steps):
        curved, slope = some.normal(theta[live], residuals, shares)
        diagonal = np.einsum("bpp->bp", curved)
        diagonal += damping[live, None] * (diagonal + 1e-9) + 1e-14
        moved = theta[live] - np.linalg.solve(curved, slope[:, :, None])[:, :, 0]
        moved = np.clip(moved, _LOWEST, _HIGHEST)
        after, parts = some.residuals(moved)
        tried = some.losses(after)
        better = tried < losses[live]
        small = losses[live] - tried <= _FLAT * losses[live]
        theta[live[better]], losses[live[better]] = moved[better], tried[better]
        residuals[better], shares[better] = after[better], parts[better]
        damping[live] = np.clip(damping[live] * np.where(better, 0.3, 5.0), 1e-9, 1e9)
        still[live] = np.where(small & (better | (damping[live] >= 1e6)), still[live] + 1, 0)
        going = still[live] < _STILL
        if not going.all():
            live, residuals, shares = live[going], residuals[going], shares[going]
            some = problem.of(live)
        if not len(live):
            break
    return theta, losses


def starts(layout: Layout, count: int, rng: np.random.Generator) -> Floats:
    """(count, P) random starts: log coefficients ~ N(-1, 1), exponents ~ lognormal(-1, .7)."""
    free = layout.coefficients
    logs = rng.normal(-1, 1, (count, free))
    return np.concatenate([logs, rng.normal(-1, 0.7, (count, len(layout.names) - free))], axis=1)


def best_of(problem: Problem, count: int, rng: np.random.Generator, keep: int) -> Floats:
    """The best ends of many starts of one problem, (keep, P), the best first.

    Args:
        problem: One; its weights are (1, m).
        count: Random starts.
        rng: They are drawn from it.
        keep: Ends to return, `count` at most.
    """
    many = replace(problem, weights=np.repeat(problem.weights, count, axis=0))
    theta, losses = descend(many, starts(problem.layout, count, rng), _TRIAL)
    ahead = np.argsort(losses, kind="stable")[: max(keep, -(-count // 10))]
    theta, losses = descend(many.of(ahead), theta[ahead], _POLISH)
    return theta[np.argsort(losses, kind="stable")[:keep]]


def refitted(problem: Problem, warm: Floats, fresh: int, rng: np.random.Generator) -> Floats:
    """(B, P) the best fit of each problem, from given starts and some random ones each.

    Args:
        problem: B problems.
        warm: (K, P) starts for each of them, such as the best ends on all points.
        fresh: Random starts of each beside.
        rng: They are drawn from it.
    """
    many, each = len(problem.weights), len(warm) + fresh
    drawn = starts(problem.layout, many * fresh, rng).reshape(many, fresh, -1)
    given = np.broadcast_to(warm, (many, *warm.shape))
    theta = np.concatenate([given, drawn], axis=1).reshape(many * each, -1)
    repeated = np.repeat(np.arange(many), each)
    theta, losses = descend(problem.of(repeated), theta, _TRIAL)
    order = np.argsort(losses.reshape(many, each), axis=1, kind="stable")[:, :2]
    ahead = (order + each * np.arange(many)[:, None]).ravel()
    theta, losses = descend(problem.of(repeated[ahead]), theta[ahead], _POLISH)
    pairs = losses.reshape(many, -1)
    best: Floats = theta.reshape(many, pairs.shape[1], -1)[np.arange(many), pairs.argmin(axis=1)]
    return best
