"""How sure are we? Bootstrap intervals of means over users (protocol §3.6).

Users are resampled, never rows or seeds: the rows of one user are not independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput

Floats = npt.NDArray[np.float64]

RESAMPLES = 10_000
"""Bootstrap resamples, and flips of a permutation."""
CELLS = 4_000_000
"""Resamples × users held at a time: 32 MB of weights."""


@dataclass(frozen=True)
class Interval:
    """A mean over users with its 95 % interval."""

    mean: float
    """of the users' means over seeds"""
    ci95: tuple[float, float]
    """2.5 and 97.5 percentiles of the resampled means"""
    users: int
    """U"""
    seeds: int
    """S"""
    seed_sd: float
    """standard deviation (n − 1) of the seeds' means; 0 for one seed"""

    def to_json(self) -> dict[str, object]:
        """All fields as JSON values."""
        return asdict(self) | {"ci95": list(self.ci95)}


def intervals(
    values: Mapping[str, npt.ArrayLike], seed: int = 0, resamples: int = RESAMPLES
) -> dict[str, Interval]:
    """User bootstrap of several per-user arrays with the same weights.

    Args:
        values: Name → (U,) or (S, U) values of the same users and seeds.
        seed: Of the resampling.
        resamples: B, the number of resamples.

    Returns:
        Name → mean with the 2.5 and 97.5 percentiles of B resampled means.

    Raises:
        BadInput: If there are no users, the shapes differ, or a value is not finite.
    """
    checked = {name: by_seed(value, name) for name, value in values.items()}
    if not checked:
        return {}
    same_shape({name: value.shape for name, value in checked.items()})
    table = np.stack([value.mean(0) for value in checked.values()], 1)
    ends = np.percentile(resampled_means(table, seed, resamples), [2.5, 97.5], axis=0)
    cells = {}
    for column, (name, value) in enumerate(checked.items()):
        low, high = (float(end) for end in ends[:, column])
        sd = float(value.mean(1).std(ddof=1)) if len(value) > 1 else 0.0
        cells[name] = Interval(
            float(table[:, column].mean()), (low, high), len(table), len(value), sd
        )
    return cells


def interval(values: npt.ArrayLike, seed: int = 0, resamples: int = RESAMPLES) -> Interval:
    """User bootstrap of one (U,) or (S, U) array."""
    return intervals({"values": values}, seed, resamples)["values"]


def resampled_means(table: Floats, seed: int = 0, resamples: int = RESAMPLES) -> Floats:
    """(B, M) means of (U, M) values under B multinomial weightings of the users.

    A weight is how often a user is drawn, so one matrix product gives the resampled means of all
    columns. Drawing and counting is ten times as fast as `multinomial`. Memory is bounded.
    """
    users, rng = len(table), np.random.default_rng(seed)
    means = np.empty((resamples, table.shape[1]))
    weights = np.empty((min(resamples, max(1, CELLS // users)), users))
    for start in range(0, resamples, len(weights)):
        stop = min(start + len(weights), resamples)
        drawn = rng.integers(0, users, (stop - start, users), dtype=np.uint32)
        for row, picks in zip(weights, drawn, strict=False):
            row[:] = np.bincount(picks, minlength=users)
        means[start:stop] = weights[: stop - start] @ table / users
    return means


def by_seed(values: npt.ArrayLike, name: str) -> Floats:
    """Values of S seeds and U users as (S, U).

    Raises:
        BadInput: If there are no users or a value is not finite.
    """
    rows = np.atleast_2d(np.asarray(values, np.float64))
    if rows.ndim != 2 or not rows.size:
        raise BadInput(
            f"Values of shape {rows.shape} hold no users.", name, "Give (U,) or (S, U) values."
        )
    bad = int((~np.isfinite(rows)).sum())
    if bad:
        raise BadInput(f"{bad:,} per-user values are not finite.", name, "Leave those users out.")
    return rows


def same_shape(shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse arrays of other users or seeds.

    Raises:
        BadInput: Naming the shapes, if they differ.
    """
    if len(set(shapes.values())) > 1:
        raise BadInput(
            "The shapes (seeds, users) differ.",
            ", ".join(f"{name} {shape}" for name, shape in list(shapes.items())[:4]),
            "Compare the same users and the same seeds.",
        )


def bucketed(
    values: Mapping[str, Floats], labels: npt.NDArray[np.str_], order: Sequence[str]
) -> list[dict[str, object]]:
    """Mean and interval of each array within each bucket of users.

    Args:
        values: Model → (U,) per-user values.
        labels: (U,) bucket of each user.
        order: Buckets in the order to show; empty ones are left out.
    """
    buckets = []
    for bucket in order:
        within = labels == bucket
        if within.any():
            inside = {name: value[within] for name, value in values.items()}
            cells = {name: cell.to_json() for name, cell in intervals(inside).items()}
            buckets.append({"bucket": bucket, "n": int(within.sum()), "models": cells})
    return buckets
