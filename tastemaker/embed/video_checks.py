"""How far a law is to be believed: cross-validation, and runs beyond those it was fitted to.

Whole cells are held out: runs of one configuration and one number of examples but another seed are
in the same fold, else a fold would be predicted from itself.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.embed.video_budget import VideoFitConfig, fit_law
from tastemaker.embed.video_forms import Floats
from tastemaker.embed.video_points import VideoPoints
from tastemaker.errors import BadInput


@dataclass(frozen=True)
class Agreement:
    """How predictions agree with what was measured."""

    mse: float
    """mean squared difference, in squared percentage points"""
    percent: float
    """E%: mean absolute difference in percent of what was measured"""
    r2: float
    """share of the variance that is explained; NaN where there is none"""
    points: int

    def to_json(self) -> dict[str, float | None]:
        """With null for what is not defined."""
        return {name: value if np.isfinite(value) else None for name, value in asdict(self).items()}


def agreement(predicted: Floats, measured: Floats) -> Agreement:
    """Compare (m,) predictions with (m,) errors."""
    gap = predicted - measured
    spread = np.sum((measured - measured.mean()) ** 2)
    varies = np.ptp(measured) > 1e-9 * measured.max()
    r2 = float(1 - np.sum(gap**2) / spread) if varies else float("nan")
    percent = float(100 * np.mean(np.abs(gap) / measured))
    return Agreement(float(1e4 * np.mean(gap**2)), percent, r2, len(measured))


def folds_of(points: VideoPoints, folds: int, seed: int) -> npt.NDArray[np.int64]:
    """(m,) fold of each run; runs of one cell share theirs."""
    cells = np.unique(points.factors, axis=0, return_inverse=True)[1].reshape(-1)
    many = int(cells.max()) + 1
    order = np.random.default_rng(seed).permutation(many)
    fold: npt.NDArray[np.int64] = (np.argsort(order) % min(folds, many))[cells]
    return fold


def left_out(points: VideoPoints, config: VideoFitConfig, folds: int = 10) -> Floats:
    """(m,) errors, each predicted from the folds that its run is not in.

    Raises:
        BadInput: If what is left has fewer runs than parameters.
    """
    fold = folds_of(points, folds, config.seed)
    predicted = np.empty(len(points))
    for number in range(int(fold.max()) + 1):
        held = fold == number
        law = fit_law(points.of(~held), config)
        predicted[held] = law.predict(points.x[held], points.n[held]).error
    return predicted


def cross_validated(points: VideoPoints, config: VideoFitConfig, folds: int = 10) -> Agreement:
    """Predict every fold from the others; raises what `left_out` does."""
    return agreement(left_out(points, config, folds), points.error)


def held_out(points: VideoPoints, held: npt.NDArray[np.bool_], config: VideoFitConfig) -> Agreement:
    """Predict some runs from all others, such as the dearest from the cheaper ones.

    Args:
        points: m runs.
        held: (m,) which are predicted.
        config: How the law is fitted.

    Raises:
        BadInput: If none or all are held out, or what is left has fewer runs than parameters.
    """
    if held.all() or not held.any():
        what = f"{int(held.sum())} of {len(held)} runs are held out."
        raise BadInput(what, "held", "Hold out some, and keep some.")
    law = fit_law(points.of(~held), config)
    return agreement(law.predict(points.x[held], points.n[held]).error, points.error[held])


def dearest(points: VideoPoints, spent: Floats, share: float = 0.2) -> npt.NDArray[np.bool_]:
    """(m,) whether a run is among the dearest part of the configurations, all seeds of each.

    Args:
        points: m runs.
        spent: (m,) FLOPs of a video of each.
        share: Of the runs to hold out, about.
    """
    held: npt.NDArray[np.bool_] = spent > np.quantile(spent, 1 - share)
    return held
