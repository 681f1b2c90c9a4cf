"""Bands have their numbers as words, and axes that can be read."""

from tastemaker.report.video_charts import band_chart

LINES = {"n = 1": [[1e12, 0.5, 0.4, 0.6], [2e12, 0.4, 0.3, 0.5]]}


def test_the_numbers_are_its_words() -> None:
    chart = band_chart(LINES, "Least error", share=True)
    assert "n = 1: 0.500 at 1e+12, 0.400 at 2e+12" in chart
    assert chart.startswith("<svg") and "FLOPs of one video" in chart


def test_several_lines_have_a_legend_and_one_has_none() -> None:
    several = {**LINES, "n = 4": [[1e12, 0.5, 0.4, 0.6], [2e12, 0.4, 0.3, 0.5]]}
    assert ">n = 4<" in band_chart(several, "Least error")
    assert ">n = 1<" not in band_chart(LINES, "Least error")


def test_what_spans_little_is_not_on_a_logarithmic_axis() -> None:
    wide = {"n": [[1e12, 4.0, 4.0, 4.0], [1e14, 196.0, 190.0, 196.0]]}
    assert ">100<" in band_chart(wide, "Best tokens")
    assert band_chart({"n": []}, "Nothing").count("n: nothing") == 1
