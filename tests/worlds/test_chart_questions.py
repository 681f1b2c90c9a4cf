import numpy as np
import pytest

from tastemaker.worlds.chart_data import Chart, ChartOptions, chart
from tastemaker.worlds.chart_questions import TEMPLATES, Template, question

SHOWN = Chart("v_bar", "Year", ("1990", "1991", "1992"), ("Sold",), ((7, 30, 12),))
VALUES = dict(zip(SHOWN.names, SHOWN.values[0], strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_answers_are_those_of_the_numbers(seed: int) -> None:
    rng = np.random.default_rng(seed)
    asked = {name: question(SHOWN, name, rng) for name in TEMPLATES}
    assert asked["max"].answer == "1991" and asked["min"].answer == "1990"
    assert asked["highest"].answer == "30" and asked["lowest"].answer == "7"
    assert asked["lookup"].answer == str(VALUES[asked["lookup"].names[0]])
    one, other = (VALUES[name] for name in asked["sum"].names)
    assert asked["sum"].answer == str(one + other)
    one, other = (VALUES[name] for name in asked["difference"].names)
    assert asked["difference"].answer == str(abs(one - other))
    one, other = (VALUES[name] for name in asked["truth"].names)
    assert asked["truth"].answer == str(one > other).lower()
    above = int(asked["count"].text.split()[-1].strip("?"))
    assert asked["count"].answer == str(sum(value > above for value in VALUES.values()))
    assert above not in VALUES.values()


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_question_names_the_series_and_what_it_singles_out(template: Template) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        shown = chart(ChartOptions(), rng)
        asked = question(shown, template, rng)
        assert asked.series in shown.series and asked.series in asked.text
        assert set(asked.names) <= set(shown.names)
        if template in ("lookup", "difference", "sum", "truth"):
            assert all(name in asked.text for name in asked.names)
        else:
            assert asked.names == shown.names


def test_both_answers_are_given_to_true_or_false() -> None:
    answers = {question(SHOWN, "truth", np.random.default_rng(n)).answer for n in range(30)}
    assert answers == {"true", "false"}
