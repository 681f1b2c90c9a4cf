"""The section of heads."""

from typing import Any

import pytest

from tastemaker.report.heads import SHOWN, heads
from tastemaker.report.page import render
from tests.report.reading import Page
from tests.report.synthetic import metrics, results


def recorded(count: int = 2) -> dict[str, Any]:
    rows = [
        {
            "name": f"short-term · <Sci-Fi {n}>", "items": None if n else 1234, "targets": 100 + n,
            "weight": 0.25, "share": n / 100, "ndcg@10": 0.05 if n else None, "users": n,
        }
        for n in range(min(count, 200))
    ]  # fmt: skip
    return {
        "users": 2000, "count": count, "parameters": {"heads": 12_345, "backbone": 678_900},
        "axes": {"horizon": {"count": 2, "groups": ["short-term", "long-term"]},
                 "community": {"count": 1_021, "groups": ["<b>", "Drama"]}},
        "untrained": {"event": ["gift & go"]}, "heads": rows,
    }  # fmt: skip


def test_heads_stand_in_order_of_what_they_say() -> None:
    shown = heads({"heads": recorded()})
    assert shown is not None
    first, last = shown["rows"]  # type: ignore[misc]
    assert first["items"] == "all" and last["items"] == "1,234"
    assert (last["ndcg"], last["users"]) == ("–", "n 0")
    assert shown["more"] == ""
    assert shown["parameters"] == [
        ("Parameters of the heads", "12,345"),
        ("Parameters of the backbone", "678,900"),
    ]
    assert shown["untrained"] == [("event", "gift & go")]
    assert shown["axes"] == [
        ("horizon", "short-term, long-term"),
        ("community", "<b>, Drama and 1,019 more"),
    ]


def test_members_in_no_group_are_counted_and_one_horizon_is_no_group() -> None:
    said = recorded()
    said["axes"]["horizon"] = {"count": 1, "groups": ["next"]}
    said["other"] = {"community": {"count": 1_234, "members": 9_066, "of": "items"}}
    shown = heads({"heads": said})
    assert shown is not None
    assert [axis for axis, _ in shown["axes"]] == ["community"]  # type: ignore[attr-defined]
    assert shown["other"] == [("community", "1,234 of 9,066 items")]
    assert "1,234 of 9,066 items" in Page(render({"heads": said})).text
    alone = recorded() | {"axes": {"horizon": {"count": 1, "groups": ["next"]}}}
    assert heads({"heads": alone})["axes"] == [("horizon", "next")]  # type: ignore[index]


@pytest.mark.parametrize(("best", "weight", "silent"), [
    ("blend", 0.0, "priors"), ("blend", 0.5, ""), ("priors", 0.0, ""),
])  # fmt: skip
def test_where_the_blend_does_not_listen_the_section_says_whom_to_ask(
    best: str, weight: float, silent: str
) -> None:
    run = {"best": best, "blend": {"priors": weight}, "training": {"model": "priors"}}
    page = Page(render({"heads": recorded(), **run})).text
    assert ("--model priors asks" in page) == bool(silent)


def test_a_name_of_two_kinds_is_explained_where_heads_are_of_categories() -> None:
    assert "category:NAME" not in render({"heads": recorded()})
    said = recorded()
    said["axes"]["category"] = {"count": 2, "groups": ["Drama", "War"]}
    assert "category:NAME" in render({"heads": said})


def test_of_many_heads_the_loudest_are_shown_and_the_others_counted() -> None:
    shown = heads({"heads": recorded(1000)})
    assert shown is not None
    assert len(shown["rows"]) == SHOWN  # type: ignore[arg-type]
    assert shown["more"] == "970 heads"
    page = render({"heads": recorded(1000)})
    assert "970 heads more" in page


def test_the_page_has_the_section_where_a_run_has_heads() -> None:
    html = render(results() | {"heads": recorded()}, metrics())
    page = Page(html)
    assert page.problems == []
    assert page.ids.index("models") < page.ids.index("heads") < page.ids.index("examples")
    assert "short-term · <Sci-Fi 1>" in page.text
    assert "&lt;Sci-Fi 1&gt;" in html and "gift &amp; go" in html
    for nothing in ({}, {"heads": {}}, {"heads": []}, {"heads": {"heads": "x"}}, {"heads": None}):
        assert heads(nothing) is None
        assert 'id="heads"' not in render(nothing)


def test_a_section_of_which_parts_are_missing_is_shown() -> None:
    html = render({"heads": {"heads": [{"name": "next"}, {}]}})
    assert 'id="heads"' in html and "next" in html


def test_an_example_says_what_spoke_for_each_item() -> None:
    whole = results()
    whole["examples"][0]["recommendations"][0]["intent"] = "short-term · <Sci-Fi>"
    html = render(whole, metrics())
    assert Page(html).problems == []
    assert "by <bdi>short-term · &lt;Sci-Fi&gt;</bdi>" in html
    assert html.count("by <bdi>short") == 1
