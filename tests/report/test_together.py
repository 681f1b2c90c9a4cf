"""The section of items that go together."""

from tastemaker.report.page import render
from tastemaker.report.together import together

EXAMPLE = {
    "item": "Alien <1>",
    "usual": 0.2,
    "lists": [
        {"relevance": 0.0, "items": ["Aliens & co", "Alien 3"]},
        {"relevance": 0.2, "items": ["Heat"]},
        {"relevance": 1.0, "items": []},
    ],
}


def test_every_dial_is_a_column_and_the_usual_one_is_marked() -> None:
    (shown,) = together({"together": [EXAMPLE]}) or []
    assert isinstance(shown["dials"], list)
    assert ["usual" in name for name in shown["dials"]] == [False, True, False]
    assert shown["rows"] == [("Aliens & co", "Heat", ""), ("Alien 3", "", "")]


def test_the_page_has_it_where_a_run_has_such_lists() -> None:
    page = render({"together": [EXAMPLE]})
    assert 'id="together"' in page
    assert "Alien &lt;1&gt;" in page
    assert "Aliens &amp; co" in page
    for results in ({}, {"together": []}, {"together": "no list"}):
        assert 'id="together"' not in render(results)
