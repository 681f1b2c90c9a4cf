"""Charts: what they say, what they draw, and that foreign text stays text."""

import re
import xml.etree.ElementTree as ET

import pytest

from tastemaker.report import charts
from tastemaker.report.charts import Estimate

HOSTILE = "<script>alert(1)</script>\"'&\x00\u202e"
ROWS = [Estimate("blend", 0.0652, 0.0509, 0.0795), Estimate("ease", 0.059, 0.045, 0.073)]
SVG = "{http://www.w3.org/2000/svg}"


def in_buckets(*models: str) -> list[Estimate]:
    return [
        Estimate(bucket, 0.05, 0.03, 0.07, model) for bucket in ("1–19", "20+") for model in models
    ]


def drawn() -> dict[str, str]:
    return {
        "curve": charts.curve_chart([(1, 6.2), (2, 5.1), (3, 4.8)], "Training loss", 2),
        "intervals": charts.interval_chart(ROWS, "NDCG@10", "blend", charts.NARROW),
        "buckets": charts.bucket_chart(
            in_buckets("blend", "ease"), "NDCG@10", "history length", charts.NARROW
        ),
    }


@pytest.mark.parametrize("name", ["curve", "intervals", "buckets"])
def test_a_chart_is_one_image_with_a_text_alternative(name: str) -> None:
    root = ET.fromstring(drawn()[name])
    assert root.tag == f"{SVG}svg"
    assert root.get("role") == "img"
    assert len(root.get("aria-label", "")) > 30
    inner = [e for e in root.iter() if e is not root]
    assert not [e for e in inner if "role" in e.attrib or "aria-label" in e.attrib]


def test_text_alternatives_hold_every_number() -> None:
    found = drawn()
    assert "blend: 0.0652 (0.0509 to 0.0795); ease: 0.0590 (0.0450 to 0.0730)" in found["intervals"]
    assert "best epoch 2. epoch 1: 6.2000; epoch 2: 5.1000; epoch 3: 4.8000" in found["curve"]
    assert found["buckets"].count("0.0500 (0.0300 to 0.0700)") == 4


def test_a_long_curve_is_thinned_for_listeners_but_ends_with_its_last_epoch() -> None:
    svg = charts.curve_chart([(float(at), 1.0) for at in range(1, 101)], "Training loss", None)
    label = ET.fromstring(svg).get("aria-label", "")
    assert len(re.findall("epoch \\d+:", label)) <= 12
    assert label.endswith("epoch 100: 1.0000")


def test_stages_are_parted_by_a_line_and_the_curve_breaks_there() -> None:
    points = [(1.0, 6.2), (2.0, 5.1), (3.0, 0.9), (4.0, 0.7)]
    whole = charts.curve_chart(points, "Training loss", None)
    parted = charts.curve_chart(points, "Training loss", None, [2.0])
    drawn = [
        sorted(
            e.tag.rpartition("}")[2]
            for e in ET.fromstring(svg).iter()
            if e.get("stroke-width") == "2"
        )
        for svg in (whole, parted)
    ]
    assert drawn == [["path"], ["line", "path", "path"]]


def test_the_best_epoch_is_marked_only_when_it_was_recorded() -> None:
    points = [(1.0, 6.2), (2.0, 5.1)]
    assert "stroke-dasharray" in charts.curve_chart(points, "Training loss", 2)
    assert "stroke-dasharray" not in charts.curve_chart(points, "Training loss", 9)
    assert "stroke-dasharray" not in charts.curve_chart(points, "Training loss", None)


@pytest.mark.parametrize(
    ("first", "last", "ticks"),
    [
        (1, 1, [1]),
        (1, 2, [1, 2]),
        (0, 6, [0, 1, 2, 3, 4, 5, 6]),
        (1, 23, [5, 10, 15, 20]),
        (1.5, 3.5, [2, 3]),
        (1, 1000, [200, 400, 600, 800, 1000]),
    ],
)
def test_epochs_are_marked_at_whole_numbers(first: float, last: float, ticks: list[int]) -> None:
    assert charts._whole_ticks(first, last) == ticks


def test_one_epoch_is_drawn_as_a_dot() -> None:
    svg = charts.curve_chart([(1.0, 6.2)], "Training loss", None)
    assert charts.SERIES[0] in [e.get("fill") for e in ET.fromstring(svg).iter()]


def test_foreign_text_stays_text() -> None:
    rows = [Estimate(HOSTILE, 0.05, 0.04, 0.06)]
    svgs = [
        charts.interval_chart(rows, HOSTILE, HOSTILE, charts.WIDE),
        charts.bucket_chart(in_buckets(HOSTILE), HOSTILE, HOSTILE, charts.WIDE),
        charts.curve_chart([(1, 1.0), (2, 2.0)], HOSTILE, 1),
    ]
    for svg in svgs:
        root = ET.fromstring(svg)
        assert not [e for e in root.iter() if "script" in e.tag]
        assert "<script" not in svg
        assert "\x00" not in svg
        assert "\u202e" not in svg
        assert "script" in root.get("aria-label", "")


def test_identifiers_differ_between_charts_and_their_references_resolve() -> None:
    seen: set[str] = set()
    for svg in drawn().values():
        ids = re.findall(r'\bid="([^"]+)"', svg)
        assert set(re.findall(r"url\(['\"]?#([^'\")]+)", svg)) <= set(ids)
        assert not seen & set(ids)
        seen |= set(ids)


def test_colours_follow_the_page_and_have_a_fallback() -> None:
    for svg in drawn().values():
        shown = {
            e.get(kind, "none") for e in ET.fromstring(svg).iter() for kind in ("fill", "stroke")
        }
        assert all(c == "none" or re.fullmatch(r"var\(--[a-z0-9-]+, #\w{6}\)", c) for c in shown)


def test_models_differ_in_colour_and_shape_together() -> None:
    names = [str(at) for at in range(14)]
    pairs = zip(
        charts._cycle(charts.SERIES, names), charts._cycle(charts.SHAPES, names), strict=True
    )
    assert len(set(pairs)) == 14


def test_long_labels_are_cut_between_characters_and_stay_apart() -> None:
    names = ["𐀀" * 30 + "a", "𐀀" * 30 + "b", "日" * 30, "short"]
    rows = [Estimate(name, 0.05, 0.04, 0.06) for name in names]
    svg = charts.interval_chart(rows, "NDCG@10", "short", charts.NARROW)
    shown = {e.text for e in ET.fromstring(svg).iter(f"{SVG}text")}
    assert {"𐀀" * 17 + "…", "𐀀" * 17 + "… (2)", "日" * 8 + "…", "short"} <= shown


@pytest.mark.parametrize("width", [charts.NARROW, charts.WIDE])
def test_charts_keep_the_width_they_are_given(width: int) -> None:
    names = [Estimate("a-model-with-quite-a-long-name-" * 3, 0.05, 0.04, 0.06), *ROWS]
    for svg in (
        charts.interval_chart(names, "NDCG@10", "ease", width),
        charts.bucket_chart(in_buckets(*"abcdef"), "NDCG@10", "history length", width),
    ):
        assert float(ET.fromstring(svg).get("width", "0")) == pytest.approx(width, abs=2)
