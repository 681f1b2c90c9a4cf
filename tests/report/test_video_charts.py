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


def test_every_point_that_is_a_number_is_drawn_and_no_other() -> None:
    odd = [[1e12, 0.5, 0.4, 0.6], [2e12, None, 0.3, 0.5], [3e12, float("inf"), 1, 1],
           "row", [4e12, 0.3], [5e12, 0.25, 0.2, 0.3]]  # fmt: skip
    told = band_chart({"n": odd}, "Least error", share=True)
    assert "0.500 at 1e+12, 0.250 at 5e+12" in told
    assert not any(f"at {budget}" in told for budget in ("2e+12", "3e+12", "4e+12"))


def test_of_many_points_a_few_are_told() -> None:
    many = [[1e12 * k, 1 / k, 0.5 / k, 2 / k] for k in range(1, 41)]
    told = band_chart({"n": many}, "Least error")
    assert told.count(" at 1") + told.count("e+13") >= 1 and told.count("e+1") <= 12


def test_more_lines_than_colours_have_colours() -> None:
    lines = {f"n = {k}": LINES["n = 1"] for k in range(12)}
    told = band_chart(lines, "Least error")
    assert all(f"n = {k}: 0.500" in told for k in range(12)) and "undefined" not in told


def test_words_of_a_line_are_text() -> None:
    told = band_chart({"<b>&": LINES["n = 1"], "n": LINES["n = 1"]}, "Least <error>")
    assert "<b>" not in told and "<error>" not in told and "&lt;b&gt;" in told
