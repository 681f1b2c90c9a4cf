import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.worlds.chart_data import (
    KINDS,
    LARGEST,
    SEVERAL,
    Chart,
    ChartKind,
    ChartOptions,
    chart,
)


def charts(many: int = 300, **options: object) -> list[Chart]:
    return [
        chart(ChartOptions(**options), np.random.default_rng(n))  # type: ignore[arg-type]
        for n in range(many)
    ]


def test_every_kind_is_drawn_with_names_and_numbers_that_are_each_once() -> None:
    drawn = charts()
    assert {one.kind for one in drawn} == set(KINDS)
    for one in drawn:
        assert len(set(one.names)) == len(one.names) and 4 <= len(one.names) <= 8
        assert len(set(one.series)) == len(one.series) == (3 if one.kind in SEVERAL else 1)
        assert one.heading in ("Year", "Item") and one.heading not in (*one.names, *one.series)
        for row in one.values:
            assert len(row) == len(one.names) == len(set(row))
            assert all(1 <= value <= LARGEST for value in row)


@pytest.mark.parametrize(("near", "low", "high"), [(0.0, 0.0, 0.45), (1.0, 1.0, 1.0)])
def test_numbers_lie_near_others_as_often_as_asked(near: float, low: float, high: float) -> None:
    close = [
        min(abs(value - other) for other in row if other != value) <= 2
        for one in charts(near=near)
        for row in one.values
        for value in row
    ]
    assert low <= np.mean(close) <= high


@pytest.mark.parametrize(
    "wrong",
    [
        {"kinds": ()},
        {"kinds": ("radar",)},
        {"width": 47},
        {"height": 5000},
        {"fewest": 1},
        {"fewest": 9},
        {"most": 13},
        {"series": 0},
        {"series": 5},
        {"near": 1.5},
        {"years": -0.1},
        {"step": 0},
        {"step": 20},
        {"width": 48, "most": 12},
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput):
        ChartOptions(**wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", KINDS)
def test_the_fewest_and_the_most_names_are_drawn(kind: ChartKind) -> None:
    many = [len(one.names) for one in charts(kinds=(kind,), fewest=2, most=12)]
    assert (min(many), max(many)) == (2, 12)


def test_numbers_come_in_steps_and_names_as_years_as_often_as_asked() -> None:
    for one in charts(60, step=10, fewest=4, most=6, years=0.0):
        assert one.heading == "Item"
        for row in one.values:
            assert len(row) == len(set(row)) and set(row) <= set(range(10, LARGEST, 10))
    assert {one.heading for one in charts(20, years=1.0)} == {"Year"}
