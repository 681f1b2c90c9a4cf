"""A real browser on a real server: whatever it complains of fails the test."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
import uvicorn

from tastemaker.serve.app import create_app
from tastemaker.serve.server import listening_socket
from tastemaker.serve.service import Service
from tests.report.test_browser import CHROMIUM, FLAGS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Request
else:
    Browser = Locator = Page = Request = None

browser_needed = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM.exists(), reason=f"{CHROMIUM} is missing"),
]
"""Marks of a module that needs one: `pytestmark = browser_needed`."""


@contextmanager
def started() -> Iterator[Browser]:
    """A browser."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@contextmanager
def listening(service: Service, **options: Any) -> Iterator[str]:
    """Address of a server of a service, in a thread, at a port that was free.

    Args:
        service: What answers; it is closed at the end.
        **options: Further arguments of `create_app`.
    """
    bound = listening_socket("127.0.0.1", 0)
    app = create_app(service, **options)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, log_level="error", ws="none"))
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    bound.listen()
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started and time.monotonic() < until:
            time.sleep(0.01)
        assert server.started
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        bound.close()


@contextmanager
def quiet(
    browser: Browser, address: str, refused: Sequence[int] = (), **options: Any
) -> Iterator[Page]:
    """A page whose every complaint fails the test: of the console, of a request, of another host.

    Args:
        browser: That shows it.
        address: Of the server.
        refused: Statuses of pages that may be refused, which a browser says itself.
        **options: Such as `viewport`, `color_scheme` and `java_script_enabled`.
    """
    context = browser.new_context(base_url=address, **options)
    context.set_default_timeout(30_000)
    page = context.new_page()
    wrong: list[str] = []
    here = urlsplit(address).netloc
    page.on("console", lambda said: wrong.append(f"console: {said.text}"))
    meant = [f"status of {status} " for status in refused]
    page.on("pageerror", lambda error: wrong.append(f"script: {error}"))
    page.on("requestfailed", lambda request: wrong.extend(_failure(request)))
    page.on(
        "request",
        lambda request: (
            None if urlsplit(request.url).netloc == here else wrong.append(f"away: {request.url}")
        ),
    )
    yield page
    context.close()
    assert [one for one in wrong if not any(status in one for status in meant)] == []


def _failure(request: Request) -> list[str]:
    """What failed; nothing, where the browser gave up a request itself, as to go elsewhere."""
    return [] if request.failure == "net::ERR_ABORTED" else [f"failed: {request.url}"]


def follow(page: Page, pressed: Locator) -> None:
    """Click on what leads to another page, and wait for the whole of it.

    A click alone returns as soon as the next page begins to arrive: what is counted or listed then
    is what has come of it so far, which on a busy machine is nothing.
    """
    with page.expect_navigation():
        pressed.click()


def fits(page: Page) -> bool:
    """Whether nothing is wider than the screen: a page is read downwards only."""
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    return bool(page.evaluate(wide))
