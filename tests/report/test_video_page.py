"""The page of a video budget as a reader meets it: its tables, its words, and every screen."""

import runpy
from pathlib import Path

import pytest

from tastemaker.files import JsonObject
from tastemaker.report.video import write_video_page
from tests.report.reading import Page
from tests.report.test_video import results

RECIPE = runpy.run_path(str(Path(__file__).parents[2] / "recipes" / "picture.py"))


def full() -> JsonObject:
    """Twelve budgets, three numbers of examples, every check."""
    found = results()
    budgets = [2.7e12 * 1.4**k for k in range(12)]
    found["rows"] = [
        {**found["rows"][0], "budget": budget, "flops": 0.95 * budget, "error": 0.6 - 0.02 * k}
        for k, budget in enumerate(budgets)
    ]
    curve = [
        [budget, 0.6 - 0.02 * k, 0.55 - 0.02 * k, 0.65 - 0.02 * k]
        for k, budget in enumerate(budgets)
    ]
    sizes = [
        [budget, 1e9 * (k + 1), 0.9e9 * (k + 1), 1.1e9 * (k + 1)]
        for k, budget in enumerate(budgets)
    ]
    lines = {"error": curve, "parameters": sizes, "frames": curve, "tokens": curve}
    found["curves"] = {f"n = {n:,}": lines for n in (250_000, 1_000_000, 4_000_000)}
    found["checks"] = {
        name: {"mse": 0.1, "percent": percent, "r2": 0.9, "points": 60}
        for name, percent in (("fitted", 0.65), ("cross-validated", 0.81), ("dearest fifth", 1.4))
    }
    return found


def test_the_tables_hold_what_was_found() -> None:
    page = Page(write_video_page(full()))
    assert page.problems == []
    frontier, checks = page.tables
    assert [row[0] for row in frontier[1:]][:2] == ["2.70 TFLOPs", "3.78 TFLOPs"]
    assert len(frontier) == 13 and {len(row) for row in frontier} == {8}
    assert [row[5] for row in frontier[1:]] == [f"{0.6 - 0.02 * k:.4f}" for k in range(12)]
    assert [row[2] for row in checks[1:]] == ["0.65", "0.81", "1.40"]
    assert "left out, a tenth at a time" in checks[2][0]


def test_every_section_is_linked_to_and_every_chart_has_words() -> None:
    page = Page(write_video_page(full()))
    ids = {attributes.get("id") for _, attributes in page.tags}
    links = {str(attributes["href"]) for tag, attributes in page.tags if tag == "a"}
    assert links == {"#curves", "#frontier", "#checks", "#made"}
    assert all(link[1:] in ids for link in links)
    charts = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert len(charts) == 4
    assert all("with 90 % intervals" in str(chart["aria-label"]) for chart in charts)
    assert not any(tag in ("script", "link", "img") for tag, _ in page.tags)


def test_marks_of_charts_are_their_own() -> None:
    page = Page(write_video_page(full()))
    ids = [attributes["id"] for _, attributes in page.tags if attributes.get("id")]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("missing", ["curves", "rows", "checks", "versions", "measured_examples"])
def test_what_is_missing_is_left_out(missing: str) -> None:
    found = full()
    del found[missing]
    text = write_video_page(found)
    page = Page(text)
    assert page.problems == [] and "None<" not in text and "NaN" not in text
    section = {"curves": "curves", "rows": "frontier", "checks": "checks"}.get(missing)
    ids = {attributes.get("id") for _, attributes in page.tags}
    assert section is None or section not in ids


@pytest.mark.parametrize(
    "text", ["<b>x</b>", "\x1b[31m", "javascript:alert(1)", "'\"><svg onload=x>"]
)
def test_foreign_text_acts_on_nothing(text: str) -> None:
    found = full() | {"fit": text, "notes": [text], "form": text, "commit": text}
    page = Page(write_video_page(found))
    assert page.problems == [] and "\x1b" not in "".join(page.words)
    assert not any(tag == "b" or "onload" in attributes for tag, attributes in page.tags)
    assert len([tag for tag, _ in page.tags if tag == "svg"]) == 4


@pytest.mark.browser
def test_the_page_fits_every_screen(tmp_path: Path) -> None:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not Path(RECIPE["CHROMIUM"]).exists():
        pytest.skip(f"{RECIPE['CHROMIUM']} is missing")
    found = full() | {"notes": ["An-unbroken-note-" * 20], "fit": "An-unbroken-name-" * 20}
    path = tmp_path / "page.html"
    path.write_text(write_video_page(found))
    with api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=RECIPE["CHROMIUM"], args=RECIPE["FLAGS"])
        asked: list[str] = []
        for width, scheme in ((320, "dark"), (1280, "light")):
            page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
            page.on("request", lambda request: asked.append(request.url))
            page.goto(path.as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            page.close()
        assert set(asked) == {path.as_uri()}
        browser.close()
