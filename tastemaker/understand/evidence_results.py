"""Evidence and counting of a run with intervals: what its samples show without any judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from tastemaker.data.contexts import Int64s
from tastemaker.data.signals import COUNTING
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
_NUMBERS = ("interests", "failed", "compliant", "cited", "existing", "typed", "overused")
_Sums = dict[tuple[str, ...], tuple[Floats, Floats]]
"""What a ratio is of → (U,) sums of its upper and of its lower part."""


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
    owners, sizes = _claims(asked)
    gaps = np.array(whole.differences, np.float64).reshape(-1, len(whole.kinds))
    groups = {"all": np.ones(len(gaps), bool)} | {
        str(first): (sizes >= first) & (sizes <= (np.inf if last is None else last))
        for first, last in BINS
    }
    sums: _Sums = {
        (name,): (_column(found, part), _column(found, total))
        for name, (part, total) in _SHARES.items()
    }
    for group, inside in groups.items():
        for column, kind in enumerate(whole.kinds):
            sums |= _errors(owners[inside], gaps[inside, column], len(asked), (group, kind))
    cells = _ratios(sums, seed, draws)
    return {
        "evidence": {name: cells[name,] for name in _SHARES}
        | {name: vars(whole)[name] for name in _NUMBERS},
        "counting": {
            kind: {name: cells["all", kind, name] for name in COUNTING}
            for kind in whole.kinds
            if len(gaps)
        },
        "counting_by_items": [
            {"kind": kind, "first": first, "last": last}
            | {"interests": int(groups[str(first)].sum())}
            | {name: cells[str(first), kind, name] for name in COUNTING}
            for first, last in BINS
            for kind in whole.kinds
            if groups[str(first)].any()
        ],
    }


def _column(found: Sequence[Evidence], name: str) -> Floats:
    return np.array([vars(one)[name] for one in found], np.float64)


def _claims(asked: Sequence[Sample]) -> tuple[Int64s, Int64s]:
    """(K,) place of the user and number of cited items, of interests that claim numbers."""
    owners: list[int] = []
    sizes: list[int] = []
    for place, one in enumerate(asked):
        claiming = [each.interest for each in one.interests if each.claimed is not None]
        owners += [place] * len(claiming)
        sizes += true_counts(one.signals, claiming).sum(1).tolist()
    return np.array(owners, np.int64), np.array(sizes, np.int64)


def _errors(owners: Int64s, gaps: Floats, users: int, what: tuple[str, ...]) -> _Sums:
    """Sums of exact claims, of errors and of biases of (K,) differences of one polarity."""
    many = np.bincount(owners, minlength=users).astype(np.float64)
    return {
        (*what, name): (np.bincount(owners, value(gaps), users).astype(np.float64), many)
        for name, value in COUNTING.items()
    }


def _ratios(
    sums: Mapping[tuple[str, ...], tuple[Floats, Floats]], seed: int, draws: int
) -> dict[tuple[str, ...], JsonObject | None]:
    """Sum over sum with its interval over users; all of them under the same draws."""
    table = np.stack([column for pair in sums.values() for column in pair], 1)
    means = resampled_means(table, seed, draws)
    cells: dict[tuple[str, ...], JsonObject | None] = {}
    for place, (name, (part, whole)) in enumerate(sums.items()):
        upper, lower = means[:, 2 * place], means[:, 2 * place + 1]
        there = lower > 0
        cells[name] = None
        if there.any():
            ends = np.percentile(upper[there] / lower[there], [2.5, 97.5])
            ratio = float(part.sum() / whole.sum())
            cells[name] = {"mean": ratio, "ci95": [float(end) for end in ends]}
    return cells
