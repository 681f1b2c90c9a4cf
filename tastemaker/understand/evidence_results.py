"""Evidence and counting of a run with intervals: what its samples show without any judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tastemaker.data.declaration import POLARITIES
from tastemaker.files import JsonObject
from tastemaker.metrics.intervals import Floats, resampled_means
from tastemaker.understand.evidence import Evidence, check_evidence, together, true_counts
from tastemaker.understand.samples import Sample

BINS = ((0, 0), (1, 2), (3, 5), (6, 10), (11, 20), (21, None))
"""First and last number of cited items of an interest, in groups; the last has no end."""
_SHARES: dict[str, tuple[str, str]] = {
    "validity": ("existing", "cited"),
    "type_validity": ("typed_right", "typed"),
    "overuse": ("overused", "items"),
    "compliance": ("compliant", "interests"),
}
"""Name of a share → what is counted, and out of what."""
_ERRORS: dict[str, Callable[[Floats], Floats]] = {
    "exact": lambda gap: (gap == 0).astype(float),
    "error": np.abs,
    "bias": lambda gap: gap,
}


def evidence_results(asked: Sequence[Sample], seed: int, draws: int) -> JsonObject:
    """`evidence`, `counting` by polarity, and `counting_by_items` by cited items of an interest.

    Args:
        asked: Samples of the users that are scored.
        seed: Of the resampling.
        draws: Bootstrap resamples.

    Returns:
        Cells of `mean` and `ci95`; null where nothing was there to count.
    """
    if not asked:
        return {"evidence": None, "counting": {}, "counting_by_items": []}
    found = [
        check_evidence(one.signals, [each.interest for each in one.interests]) for one in asked
    ]
    whole = together(found)
    shares = {
        name: _ratio(_column(found, part), _column(found, all_), seed, draws)
        for name, (part, all_) in _SHARES.items()
    }
    numbers = ("interests", "failed", "compliant", "cited", "existing", "typed", "overused")
    evidence = {**shares, **{name: vars(whole)[name] for name in numbers}}
    owners, sizes, gaps = _gaps(asked, found)
    counting = {
        kind: _cells(owners, gaps[:, column], len(asked), seed, draws)
        for column, kind in enumerate(whole.kinds)
        if len(gaps)
    }
    by_items = []
    for first, last in BINS:
        inside = (sizes >= first) & (sizes <= (np.inf if last is None else last))
        for column, kind in enumerate(whole.kinds):
            if inside.any():
                gap = gaps[inside, column]
                cells = _cells(owners[inside], gap, len(asked), seed, draws)
                many = {"interests": int(inside.sum())}
                by_items.append({"kind": kind, "first": first, "last": last} | many | cells)
    return {"evidence": evidence, "counting": counting, "counting_by_items": by_items}


def _column(found: Sequence[Evidence], name: str) -> Floats:
    return np.array([vars(one)[name] for one in found], np.float64)


def _gaps(asked: Sequence[Sample], found: Sequence[Evidence]) -> tuple[Floats, Floats, Floats]:
    """(K,) place of the user, (K,) true sizes, (K, kinds) gaps, of interests that claim numbers."""
    owners, sizes = [], []
    for place, one in enumerate(asked):
        claiming = [each.interest for each in one.interests if each.claimed is not None]
        owners += [place] * len(claiming)
        sizes += true_counts(one.signals, claiming).sum(1).tolist()
    rows = [row for one in found for row in one.differences]
    width = len(found[0].kinds) if found else len(POLARITIES)
    gaps = np.array(rows, np.float64).reshape(-1, width)
    return np.array(owners, np.float64), np.array(sizes, np.float64), gaps


def _cells(owners: Floats, gaps: Floats, users: int, seed: int, draws: int) -> JsonObject:
    """Exact share, error and bias of (K,) differences of one polarity."""
    places = owners.astype(np.int64)
    many = np.bincount(places, minlength=users).astype(np.float64)
    cells: JsonObject = {}
    for name, value in _ERRORS.items():
        total = np.bincount(places, value(gaps), users).astype(np.float64)
        cells[name] = _ratio(total, many, seed, draws)
    return cells


def _ratio(part: Floats, whole: Floats, seed: int, draws: int) -> JsonObject | None:
    """Sum of (U,) parts over sum of (U,) wholes, with its interval over users."""
    if not whole.sum():
        return None
    means = resampled_means(np.stack([part, whole], 1), seed, draws)
    there = means[:, 1] > 0
    ends = np.percentile(means[there, 0] / means[there, 1], [2.5, 97.5])
    return {"mean": float(part.sum() / whole.sum()), "ci95": [float(end) for end in ends]}
