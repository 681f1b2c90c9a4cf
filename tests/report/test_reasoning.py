"""The section of thoughts, and what examples say was thought."""

import pytest

from tastemaker.report.page import render
from tastemaker.report.reasoning import reasoning, thinker, thoughts
from tests.report.reading import Page
from tests.report.synthetic import metrics
from tests.report.synthetic_thoughts import CAVEAT, recorded, thinking, thought


def test_the_page_has_the_section_where_a_run_reasons() -> None:
    html = render(thinking(), metrics())
    page = Page(html)
    assert page.problems == []
    assert page.ids.index("models") < page.ids.index("reasoning") < page.ids.index("examples")
    assert "<b>chosen</b>" in page.text and "&lt;b&gt;chosen&lt;/b&gt;" in html
    assert "<b>chosen</b>" not in html
    assert "0 of 30,500" in page.text
    assert CAVEAT in page.text
    for nothing in ({}, {"reasoning": {}}, {"reasoning": []}, {"reasoning": None}):
        assert reasoning(nothing) is None
        assert 'id="reasoning"' not in render(nothing)


def test_tables_hold_every_thought_and_verifier() -> None:
    tables = Page(render({"reasoning": recorded()})).tables
    (checks,) = [rows for rows in tables if rows[0][0] == "Verifier"]
    (steps,) = [rows for rows in tables if rows[0][0] == "Thought"]
    assert len(checks) == 1 + 6 and len(steps) == 1 + 3
    assert [row[:2] for row in checks[1:3]] == [["text", "1"], ["text", "2"]]
    first = dict(zip(checks[0], checks[1], strict=True))
    assert first["Right"] == "21.0\u202f%" and first["Most frequent group"] == "14.2\u202f%"
    assert first["Difference in points"] == "\u22121.0 to +3.1"
    assert [row[-1] for row in steps[1:]] == ["–", "0.97", "0.97"]


def test_a_lone_verifier_has_no_gate() -> None:
    html = render({"reasoning": recorded(1, ("text",))})
    assert "Trust" not in html and "Balance" not in html
    assert reasoning({"reasoning": recorded(1, ("text",))})["charts"]  # type: ignore[index]


def test_thoughts_that_nothing_checks_and_no_thoughts_are_told_so() -> None:
    bare = recorded() | {"verifiers": []}
    bare["steps"] = [{"cosine": step["cosine"], "checks": []} for step in bare["steps"]]
    page = Page(render({"reasoning": bare}))
    assert "nothing checks its thoughts" in page.text and "Likeness" in page.text
    assert page.problems == []
    assert "without thinking" in render({"reasoning": bare | {"steps": []}})


@pytest.mark.parametrize(("part", "value"), [
    ("steps", [{"checks": [{"ahead": ["a", 1]}]}, {}]), ("steps", "x"), ("verifiers", [{}]),
    ("rows", None), ("answers", "x"), ("caveats", 3),
])  # fmt: skip
def test_a_section_of_which_parts_are_damaged_is_shown(part: str, value: object) -> None:
    page = Page(render({"reasoning": recorded() | {part: value}}))
    assert page.problems == [] and "reasoning" in page.ids


def test_examples_say_what_was_thought_beside_the_list() -> None:
    html = render(thinking(), metrics())
    text = Page(html).text
    assert "<bdi>Film &amp; &lt;noir&gt;</bdi> 31\u202f%" in html
    assert "uncertainty 71 %, trust 64 %" in text
    assert "moved by 42 % of its length" in text
    alone = thinking()
    alone["examples"][0]["thoughts"] = [thought(1), thought(0), {}, {"said": [{"groups": [3]}]}]
    html = render(alone, metrics())
    assert "not checked" in html and Page(html).problems == []
    assert thoughts({}) == thoughts({"thoughts": "x"}) == []


def test_a_list_of_another_model_is_told_from_its_thoughts() -> None:
    trained = {"training": {"model": "vrec"}}
    assert thinker(trained | {"best": "vrec"}) == "vrec"
    assert thinker(trained | {"best": "blend", "blend": {"vrec": 0.5}}) == "vrec"
    for other in ({"best": "ease"}, {"best": "blend", "blend": {"vrec": 0.0}}):
        assert "did not rank" in thinker(trained | other)
