"""The pages as they are built, in a real browser: whole, and no wider than a telephone."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.report.test_browser import CHROMIUM, FLAGS

ROOT = Path(__file__).parents[1]
ZENSICAL = Path(sys.executable).with_name("zensical")

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing"),
    pytest.mark.skipif(not ZENSICAL.exists(), reason="zensical is not installed"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, built outside the checkout; their links to folders name the files in them."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(ROOT / "docs", folder / "docs")
    settings = (ROOT / "mkdocs.yml").read_text() + "use_directory_urls: false\n"
    (folder / "mkdocs.yml").write_text(settings)
    (folder / "tastemaker").symlink_to(ROOT / "tastemaker")
    done = subprocess.run(
        [ZENSICAL, "build", "--strict"], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "site"


@pytest.fixture(scope="module")
def page(site: Path) -> Iterator[sync_api.Page]:
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        opened = browser.new_page(viewport={"width": 390, "height": 900})
        local = f"file://{site}/"
        opened.route(lambda address: not address.startswith(local), lambda request: request.abort())
        yield opened
        browser.close()


WIDE = """() => {
  const wrong = [];
  for (const table of document.querySelectorAll('article table')) {
    let box = table;
    while (box && !['auto', 'scroll'].includes(getComputedStyle(box).overflowX))
      box = box.parentElement;
    const what = table.textContent.trim().slice(0, 40);
    if (!box || box.getBoundingClientRect().right > innerWidth + 1) { wrong.push(what); continue; }
    box.scrollLeft = 1e6;
    const left = box.getBoundingClientRect().left;
    for (const row of table.rows) {
      const cell = row.cells[0].getBoundingClientRect();
      if (cell.left < left - 1 || cell.left > left + 40) { wrong.push(what); break; }
    }
  }
  for (const picture of document.querySelectorAll('article img'))
    if (picture.getBoundingClientRect().right > innerWidth) wrong.push(picture.src);
  return wrong;
}"""


def test_pages_fit_a_telephone_and_keep_the_first_column_of_tables(
    site: Path, page: sync_api.Page
) -> None:
    pages = [path for path in site.rglob("*.html") if path.name != "404.html"]
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md")))
    for path in pages:
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        assert page.evaluate(WIDE) == [], path


def test_functions_and_classes_have_headings_and_signatures(
    site: Path, page: sync_api.Page
) -> None:
    for source in (ROOT / "docs/api").glob("*.md"):
        names = [line[4:].strip() for line in source.read_text().splitlines() if ":::" in line]
        page.goto((site / "api" / f"{source.stem}.html").as_uri())
        for name in names:
            heading = page.locator(f'h2[id="{name}"]')
            assert heading.count() == 1, name
            assert name in heading.inner_text()
            below = page.locator(f'h2[id="{name}"] + .doc-signature')
            assert below.count() == 1 or is_never_called(name), name
            assert all(name.rpartition(".")[2] in text for text in below.all_inner_texts())


def is_never_called(name: str) -> bool:
    """Whether it is a seam or a warning, which nobody calls."""
    module, _, last = name.rpartition(".")
    found = vars(importlib.import_module(module))[last]
    return isinstance(found, type) and not {Protocol, Warning}.isdisjoint(found.__mro__)
