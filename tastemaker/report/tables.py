"""What the report's tables show: rows of text made from `results.json`, missing parts left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tastemaker.options import HEADLINE
from tastemaker.report import wording
from tastemaker.report.charts import Estimate
from tastemaker.report.wording import MISSING, finite, interval, number, percent


@dataclass(frozen=True)
class Column:
    """One metric of a table of models."""

    metric: str
    """its key in `results.json`"""
    title: str
    meaning: str
    higher_is_better: bool = True
    share: bool = False
    """shown in percent"""
    digits: int = 4


ACCURACY = (
    Column("hr@10", "HR@10", "share of users with a hit among ten recommendations"),
    Column(HEADLINE, "NDCG@10", "the same, worth more the higher the hit stands"),
    Column("mrr@10", "MRR@10", "one over the rank of the first hit"),
)
BEYOND = (
    Column("coverage@10", "Coverage", "share of the catalogue in anyone’s ten", share=True),
    Column("entropy@10", "Entropy", "spread over categories within a list, in bits", digits=2),
    Column("novelty@10", "Novelty", "how rarely the items were chosen, in bits", digits=2),
    Column(
        "personalisation@10",
        "Personalisation",
        "how much two users’ lists differ, from 0 to 1",
        digits=3,
    ),
    Column(
        "popularity_share@10",
        "Popular items",
        "share of the most chosen tenth of items",
        False,
        True,
    ),
)
OTHER_CONVENTIONS = {"unfiltered": "seen items allowed", "filtered": "seen items left out"}


@dataclass(frozen=True)
class Cell:
    """A mean, the ends of its interval, and whether it is the best of its column."""

    mean: str
    ends: str = ""
    best: bool = False


@dataclass(frozen=True)
class ModelTable:
    """Rows of cells under columns; a row is (name, recommended, cells)."""

    columns: Sequence[Column]
    rows: Sequence[tuple[str, bool, Sequence[Cell]]]


def part(holder: Mapping[str, object], name: str) -> dict[str, object]:
    """The object under `name`; empty when it is missing."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def listed(holder: Mapping[str, object], name: str) -> list[object]:
    """The list under `name`; empty when it is missing."""
    value = holder.get(name)
    return value if isinstance(value, list) else []


def objects(holder: Mapping[str, object], name: str) -> list[dict[str, object]]:
    """The objects of the list under `name`; what is none is left out."""
    return [entry for entry in listed(holder, name) if isinstance(entry, dict)]


def ordered(models: Mapping[str, object]) -> list[str]:
    """Model names, the highest headline metric first, unmeasured ones last."""
    means = {name: finite(part(part(models, name), HEADLINE).get("mean")) for name in models}
    return sorted(models, key=lambda name: -1.0 if means[name] is None else -(means[name] or 0.0))


def accuracy(models: Mapping[str, object], best: str) -> ModelTable:
    """Models by accuracy, then the same metrics under the other seen-item convention."""
    others = [
        Column(f"{c.metric}/{suffix}", c.title, words, c.higher_is_better)
        for suffix, words in OTHER_CONVENTIONS.items()
        for c in ACCURACY
    ]
    return model_table(models, best, (*ACCURACY, *others))


def beyond_accuracy(models: Mapping[str, object], best: str) -> ModelTable:
    """Models by what accuracy does not show."""
    return model_table(models, best, BEYOND)


def model_table(models: Mapping[str, object], best: str, columns: Sequence[Column]) -> ModelTable:
    """Models under those columns that one of them has a number of."""
    measured = [c for c in columns if any(c.metric in part(models, name) for name in models)]
    names = ordered(models)
    by_column = [_cells([part(part(models, n), c.metric) for n in names], c) for c in measured]
    rows = [
        (name, name == best, [cells[row] for cells in by_column]) for row, name in enumerate(names)
    ]
    return ModelTable(measured, rows if measured else [])


def _cells(values: Sequence[Mapping[str, object]], column: Column) -> list[Cell]:
    means = [finite(value.get("mean")) for value in values]
    known = [mean for mean in means if mean is not None]
    top = (max if column.higher_is_better else min)(known, default=None)
    cells = []
    for value, mean in zip(values, means, strict=True):
        shown = percent(mean) if column.share else number(mean, column.digits)
        ends = value.get("ci95")
        ends = _share_interval(ends) if column.share else interval(ends, column.digits)
        cells.append(Cell(shown, ends, mean is not None and mean == top and len(known) > 1))
    return cells


def _share_interval(ends: object) -> str:
    if not isinstance(ends, list) or None in map(finite, ends):
        return ""
    return interval([100 * end for end in ends], 1) + wording.SPACE + "%"


def estimates(models: Mapping[str, object], bucket: str = "") -> list[Estimate]:
    """What a chart of `{model: {"mean", "ci95"}}` draws; models without a mean are left out.

    Args:
        models: Model → mean and interval.
        bucket: Its name, where the models are those of one bucket.
    """
    drawn = []
    for name in models:
        value = part(models, name)
        mean = finite(value.get("mean"))
        if mean is None:
            continue
        ends = value.get("ci95")
        low, high = ends if isinstance(ends, list | tuple) and interval(ends) else (mean, mean)
        drawn.append(
            Estimate(bucket, mean, low, high, name) if bucket else Estimate(name, mean, low, high)
        )
    return drawn


def choice(results: Mapping[str, object]) -> list[tuple[str, str, Cell]]:
    """What was chosen on validation beside the test: rows of (model, validation, test).

    The recommended model, the next best on validation and, where it is another, the best of the
    test; empty when nothing was measured on validation.
    """
    models, best = part(results, "models"), str(results.get("best", ""))
    validation = {k: finite(v) for k, v in part(results, "validation").items()}
    known = {name: value for name, value in validation.items() if value is not None}
    if not known:
        return []
    ranked = sorted(known, key=lambda name: (name != best, -known[name]))
    names = dict.fromkeys([*ranked[:2], *ordered(models)[:1]])
    tested = {name: part(part(models, name), HEADLINE) for name in names}
    return [
        (
            name,
            number(known.get(name)),
            Cell(number(tested[name].get("mean")), interval(tested[name].get("ci95"))),
        )
        for name in names
    ]


@dataclass(frozen=True)
class ComparisonRow:
    """Two models, user by user, as text."""

    a: str
    b: str
    metric: str
    difference: str
    ends: str
    decided: bool
    """the interval excludes zero"""
    relative: str
    p: str
    shares: Mapping[str, str]
    """better, equal, worse in percent"""
    bars: Mapping[str, float]
    """the same in [0, 1]"""


def comparisons(results: Mapping[str, object]) -> list[ComparisonRow]:
    """Paired comparisons, in the order they were made."""
    rows = []
    for comparison in objects(results, "comparisons"):
        shares = {name: finite(comparison.get(name)) for name in ("better", "equal", "worse")}
        rows.append(
            ComparisonRow(
                a=str(comparison.get("a", MISSING)),
                b=str(comparison.get("b", MISSING)),
                metric=str(comparison.get("metric", HEADLINE)).upper(),
                difference=number(comparison.get("difference"), sign=True),
                ends=interval(comparison.get("ci95"), sign=True),
                decided=_excludes_zero(comparison.get("ci95")),
                relative=percent(comparison.get("relative"), sign=True),
                p=wording.p_value(comparison.get("p")),
                shares={name: percent(share) for name, share in shares.items()},
                bars={name: min(1.0, max(0.0, share or 0.0)) for name, share in shares.items()},
            )
        )
    return rows


def _excludes_zero(ends: object) -> bool:
    low, high = map(finite, ends) if isinstance(ends, list) and interval(ends) else (None, None)
    return (low is not None and low > 0) or (high is not None and high < 0)


def settings(holder: Mapping[str, object]) -> list[tuple[str, str]]:
    """Options as (name, value) text."""
    return [(str(name), wording.setting(value)) for name, value in holder.items()]
