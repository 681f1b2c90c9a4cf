"""The page in a real browser: silent, self-contained, and no wider than the screen."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest

from tastemaker.report.page import write_report
from tests.report.synthetic import metrics, results, write_run
from tests.report.synthetic_thoughts import thinking

LONG = "An-unbroken-title-" * 20

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
RECIPE = runpy.run_path(str(Path(__file__).parents[2] / "recipes" / "picture.py"))
CHROMIUM, FLAGS = Path(RECIPE["CHROMIUM"]), RECIPE["FLAGS"]  # the browser as the recipe starts it
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing"),
]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = results()
    found["examples"][0]["recommendations"][1]["title"] = LONG
    found["examples"][0]["history"][0] = "<img src=x onerror=alert(1)>" + LONG
    found["warnings"].append(LONG)
    found["models"]["a-model-" * 10] = found["models"]["sasrec"]
    folder = tmp_path_factory.mktemp("report") / "run"
    return write_report(write_run(folder, found, metrics()))


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    with sync_api.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield started
        started.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 820, 1280])
def test_page_is_silent_self_contained_and_fits(
    report: Path, browser: sync_api.Browser, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for name in ("headline", "data", "training", "models", "buckets", "examples", "made"):
        assert page.locator(f"#{name}").is_visible()
    shown = [svg for svg in page.locator("svg").all() if svg.is_visible()]
    assert len(shown) == 5
    assert all((box := svg.bounding_box()) and box["width"] > 200 for svg in shown)
    assert said == []
    assert asked == [report.as_uri()]
    page.close()


@pytest.fixture(scope="module")
def thoughtful(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a model that thinks, with names that hardly fit."""
    found = thinking()
    found["reasoning"]["verifiers"][0]["name"] = LONG
    found["reasoning"]["caveats"].append(LONG)
    for said in found["examples"][0]["thoughts"][0]["said"]:
        said["verifier"], said["groups"] = LONG, [[LONG, 0.5], ["<b>", 0.25]]
    folder = tmp_path_factory.mktemp("thoughtful") / "run"
    return write_report(write_run(folder, found, metrics()))


@pytest.mark.parametrize(("width", "scheme"), [(320, "dark"), (380, "light"), (1280, "dark")])
def test_a_page_with_thoughts_fits_and_can_be_read(
    thoughtful: Path, browser: sync_api.Browser, width: int, scheme: str
) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(thoughtful.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#reasoning").is_visible()
    pictures = page.locator("#reasoning svg").all()
    assert len(pictures) == 2
    assert all((box := svg.bounding_box()) and box["width"] > 200 for svg in pictures)
    assert page.locator("ol.thoughts").count() == len(results()["examples"])
    assert all(table["stays"] and table["inside"] for table in page.evaluate(TABLES))
    assert page.evaluate(CONTRAST) == []
    page.close()


TABLES = """() => [...document.querySelectorAll('table')].map(table => {
  const box = table.closest('.scroll');
  if (!box) return {what: table.textContent.slice(0, 40)};
  const style = getComputedStyle(box);
  box.scrollLeft = 1e6;
  const left = box.getBoundingClientRect().left;
  const stays = [...table.rows].every(row => {
    const cell = row.cells[0].getBoundingClientRect();
    return Math.abs(cell.left - left) < 1 && cell.width < .6 * box.clientWidth; });
  return {
    what: box.ariaLabel, stays, named: box.role === 'region' && box.tabIndex === 0,
    inside: box.getBoundingClientRect().right <= innerWidth && style.overflowX === 'auto',
    wider: box.scrollWidth > box.clientWidth}; })"""


def test_wide_tables_scroll_in_their_own_box_and_keep_their_first_column(
    report: Path, browser: sync_api.Browser
) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    tables = page.evaluate(TABLES)
    assert len(tables) == 8
    for table in tables:
        assert table.get("inside"), table["what"]
        assert table["stays"], table["what"]
        assert table["named"], table["what"]
    assert sum(table["wider"] for table in tables) >= 5
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.close()


CONTRAST = """() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const light = c => { const [r, g, b] = parse(c).map(v => { v /= 255;
    return v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; });
    return .2126 * r + .7152 * g + .0722 * b; };
  const behind = e => { for (; e; e = e.parentElement) {
    const c = getComputedStyle(e).backgroundColor;
    if ((parse(c)[3] ?? 1) === 1) return c; } return 'rgb(255, 255, 255)'; };
  const low = [];
  for (const e of document.querySelectorAll('p, dt, dd, th, td, li, a, span, h1, h2, text')) {
    if (!e.textContent.trim() || !e.getClientRects().length) continue;
    const style = getComputedStyle(e);
    const ink = e.tagName === 'text' ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(e))].sort((x, y) => y - x);
    if ((a + .05) / (b + .05) < 4.5) low.push(e.tagName + ': ' + e.textContent.slice(0, 40));
  }
  return low;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(report: Path, browser: sync_api.Browser, scheme: str) -> None:
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    page.goto(report.as_uri())
    assert page.evaluate(CONTRAST) == []
    page.close()
