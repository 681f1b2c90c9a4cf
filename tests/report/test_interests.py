"""Interests on the page: verdict, numbers, proof; the rule once; nothing where none was kept."""

from tastemaker.report.interests import interests, remarks
from tastemaker.report.page import render
from tests.report.reading import Page
from tests.report.synthetic import profile, results

TITLES = [f"Title {number}" for number in range(8)]


def test_an_interest_has_a_verdict_numbers_and_proof() -> None:
    shown = interests({"profile": profile(TITLES)})
    drama, western = shown["likes"]  # type: ignore[misc]
    assert (drama["name"], drama["verified"], drama["verdict"]) == ("Drama", True, "verified")
    assert drama["numbers"] == "5 liked, 2 chosen"
    assert drama["items"] == TITLES[:4]
    assert drama["compared"].startswith("31")
    assert (western["verified"], western["verdict"]) == (False, "as much speaks against it")
    (horror,) = shown["dislikes"]  # type: ignore[misc]
    assert (horror["numbers"], horror["compared"]) == ("2 disliked", "")


def test_what_was_not_recorded_is_not_shown() -> None:
    assert interests({}) == {"likes": [], "dislikes": []}
    odd = {"interests": [{}, 3, {"verdict": "new", "counts": 5}], "dislikes": "none"}
    assert len(interests({"profile": odd})["likes"]) == 2  # type: ignore[arg-type]
    assert remarks([{}, {"profile": 3}]) == [[], []]


def test_the_rule_and_limits_are_said_once() -> None:
    one, other = profile(TITLES), profile(TITLES) | {"notes": ["Another."]}
    said = remarks([{"profile": one}, {"profile": other}])
    assert said == [[one["rule"], *one["notes"]], ["Another."]]


def test_the_page_shows_them_escaped_within_the_examples() -> None:
    html = render({"examples": results()["examples"]})
    section = html[html.index('id="examples"') :]
    assert "Westerns &amp; &lt;War&gt;" in section
    assert section.count(profile(TITLES)["rule"]) == 1
    text = Page(html).text
    assert "What they dislike" in text
    assert "as much speaks against it" in text


def test_a_page_without_profiles_has_no_such_part() -> None:
    example = results()["examples"][0]
    assert "What they like" in Page(render({"examples": [example]})).text
    del example["profile"]
    assert "What they like" not in Page(render({"examples": [example]})).text
