"""The picture of the server's page: a user to whom an event was just added, as a browser draws it.

Usage: `make serve` once (it trains `runs/serve`), then `python recipes/picture_page.py runs/serve
42`. It needs Debian's Chromium, serves the run with an empty store, adds an event of the item that
is recommended first by the page's own form, and writes `docs/figures/page.png`.
"""

from __future__ import annotations

import sys
import tempfile
import threading
import time
from pathlib import Path

import uvicorn
from picture import CHROMIUM, FLAGS
from playwright.sync_api import Page, sync_playwright

from tastemaker.serve.app import create_app
from tastemaker.serve.limits import Limits
from tastemaker.serve.opened import Opened
from tastemaker.serve.server import listening_socket
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store

PICTURE = Path(__file__).parents[1] / "docs" / "figures" / "page.png"
WIDTH, HEIGHT = 1180, 980


def shoot(page: Page, address: str, user: str) -> None:
    """Add an event to a user and take the picture."""
    page.goto(f"{address}/users/{user}")
    title = page.locator("#list li a").first.inner_text()
    form = page.locator("form:has-text('Add an event')")
    form.get_by_label("Item").fill(title)
    form.get_by_role("button", name="Add").click()
    page.wait_for_url("**added=*")
    page.screenshot(path=PICTURE)


def main(run: Path, user: str) -> None:
    """Serve the run, take the picture, end the server."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "store") as store:
        bound = listening_socket("127.0.0.1", 0)
        app = create_app(Service(Opened.open(run), store, Limits()))
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while not server.started:
            time.sleep(0.05)
        try:
            with sync_playwright() as driver:
                browser = driver.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
                view = {"width": WIDTH, "height": HEIGHT}
                page = browser.new_page(viewport=view, color_scheme="light")
                shoot(page, f"http://127.0.0.1:{bound.getsockname()[1]}", user)
                browser.close()
        finally:
            server.should_exit = True
            thread.join()
    sys.stdout.write(f"{PICTURE.name}: {PICTURE.stat().st_size / 1e3:.0f} kB\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
