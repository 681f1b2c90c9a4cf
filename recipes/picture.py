"""The picture in the README: what the report of a run shows first, as a browser draws it.

Usage: `tastemaker run --out runs/first`, then `python recipes/picture.py runs/first`. It needs
Debian's Chromium and writes `docs/figures/report.png`, in which the page is shortened to its head,
the chart of the models and one user.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tastemaker import files
from tastemaker.report.page import read_metrics, render

PICTURE = Path(__file__).parents[1] / "docs" / "figures" / "report.png"
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SHORTENED = """
nav, footer, #data, #training, #buckets, #made, #models > :not(h2, figure),
#examples > :not(h2, .user:nth-of-type(1)) { display: none }
section { margin-top: 1.5rem; padding-top: 1.5rem } header { padding-top: 2rem }
.user { padding: 0 }
"""
WIDTH = 960


def main(run: Path) -> None:
    """Draw the report of `run` and write the picture."""
    results = {"run": run.resolve().name} | files.read_json(run / "results.json")
    html = render(results, read_metrics(run / "metrics.jsonl"))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        page_file = Path(folder) / "report.html"
        page_file.write_text(html, encoding="utf-8")
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": WIDTH, "height": 900}, color_scheme="light")
        page.goto(page_file.as_uri())
        page.add_style_tag(content=SHORTENED)
        page.screenshot(path=PICTURE, full_page=True)
        browser.close()
    sys.stdout.write(f"{PICTURE.name}: {PICTURE.stat().st_size / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
