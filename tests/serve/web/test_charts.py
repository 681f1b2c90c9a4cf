"""Charts: whole SVG, in their bounds, that say what they show."""

import re
from datetime import date, timedelta
from xml.etree import ElementTree

import pytest

from tastemaker.serve.web.charts import Series, colour, compared, interval, nice, part, stacked

DAYS = [date(2026, 1, 1) + timedelta(n) for n in range(5)]
NASTY = "<b>&\"'"


def numbers(text: str) -> list[float]:
    return [float(one) for one in re.findall(r'(?:y|height|x|width)="([\d.]+)"', text)]


def test_bars_are_stacked_in_their_bounds_and_say_their_sums() -> None:
    some, rest = Series(NASTY, (1, 0, 2, 3, 4), colour(0)), Series("rest", (9, 0, 1, 0, 4), "rest")
    text = stacked("c", NASTY, DAYS, [some, rest])
    root = ElementTree.fromstring(text)
    svg = next(root.iter("svg"))
    assert svg.get("role") == "img" and svg.get("aria-labelledby") == "c-title c-told"
    told = {one.get("id"): one.text for one in svg.iter() if one.get("id")}
    assert told["c-title"] == NASTY and "24" in (told["c-told"] or "")
    bars = [one for one in svg.iter("rect") if one.get("class") != "day"]
    assert len(bars) == 7
    for bar in bars:
        low, high = float(bar.get("y", "")), float(bar.get("height", ""))
        assert low >= 0 and low + high <= 100.01
    assert len([one for one in svg.iter("rect") if one.get("class") == "day"]) == len(DAYS)


def test_lines_leave_out_days_without_events() -> None:
    now = Series("now", (0.5, None, 0.25, 0.25, None), colour(1))
    before = Series("before", (None,) * 5, "before")
    root = ElementTree.fromstring(compared("c", "share", DAYS, now, before))
    paths = {one.get("class"): one.get("d", "") for one in root.iter("path")}
    assert paths["line series-2"].count("M") == 1 and paths["line series-2"].count("L") == 1
    assert paths["line dots series-2"].count("M") == 1 and paths["line dots before"] == ""
    assert paths["line before"] == ""


def test_charts_of_nothing_are_charts() -> None:
    nothing = Series("none", (0,) * 5, "rest")
    missing = Series("none", (None,) * 5, "before")
    for text in (stacked("c", "", DAYS, [nothing]), compared("c", "", DAYS, missing, missing)):
        assert "nan" not in ElementTree.tostring(ElementTree.fromstring(text)).decode()


@pytest.mark.parametrize(
    ("most", "top"), [(0, 1), (1, 1), (3, 4), (4.1, 5), (6, 10), (87, 100), (0.13, 0.2), (1e6, 1e6)]
)
def test_axes_end_at_round_numbers(most: float, top: float) -> None:
    assert nice(most) == pytest.approx(top)


def test_small_drawings_stay_in_their_rows() -> None:
    for text in (interval((0.1, 0.2, 0.3), 0.3), interval((None, 0.2, None), 0.2),
                 interval((-0.1, 0.0, 0.1), 0.0), part(2.0), part(-1.0)):  # fmt: skip
        ElementTree.fromstring(text)
        assert all(0 <= value <= 100 for value in numbers(text))
        assert 'aria-hidden="true"' in text
