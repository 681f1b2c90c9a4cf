"""The pages in a real browser: silent, for keyboards, for small screens, without scripts."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from tastemaker.serve.key_file import KeyFile
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.web.browser import Browser, browser_needed, fits, follow, listening, quiet
from tests.serve.web.conftest import Shown

pytestmark = browser_needed
PAGES = ("/", "/?days=90", "/model", "/search?q=item")
EVENT = {"user_id": "u1", "item_id": "i3", "kind": ""}


@pytest.fixture(scope="module", autouse=True)
def busy(server: str, browser: Browser) -> None:
    """Something was told and asked, so that every part of the pages has something to show."""
    context = browser.new_context(base_url=server)
    events = [{**EVENT, "event_id": f"e{n}", "time": time.time() + n} for n in range(9)]
    assert context.request.post("/v1/events", data={"events": events}).ok
    assert context.request.get("/v1/users/u1/recommendations?k=5").ok
    until = time.monotonic() + 60
    while "data-again" in context.request.get("/").text():  # such a page reads itself again
        assert time.monotonic() < until
        time.sleep(0.1)
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_pages_are_silent_and_fit(
    server: str, browser_page: Shown, width: int, scheme: str
) -> None:
    viewport = {"width": width, "height": 900}
    with browser_page(server, viewport=viewport, color_scheme=scheme) as page:
        for path in PAGES:
            page.goto(path)
            for details in page.locator("summary").all():
                details.click()
            assert fits(page), path
            assert page.locator("h1").is_visible()
            for chart in page.locator(".plot svg").all():
                box = chart.bounding_box()
                assert box and box["width"] > 200 and box["height"] > 60
            light = page.evaluate("getComputedStyle(document.body).backgroundColor")
            bright = sum(map(int, re.findall(r"\d+", light)[:3])) > 380
            assert bright is (scheme == "light")


def test_without_a_mouse(server: str, browser_page: Shown) -> None:
    with browser_page(server, viewport={"width": 1280, "height": 900}) as page:
        page.goto("/")
        page.keyboard.press("Tab")
        skip = page.locator(".skip")
        box = skip.bounding_box()
        assert box and box["x"] >= 0  # it comes into view with the focus
        page.keyboard.press("Enter")
        page.wait_for_function("document.activeElement.id === 'main'")
        page.goto("/")
        for _ in range(6):  # past the skip link, the name and three pages
            page.keyboard.press("Tab")
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
        page.keyboard.press("Enter")
        page.wait_for_url("**/model")
        page.keyboard.press("/")
        assert page.evaluate("document.activeElement.id") == "find"
        page.keyboard.type("item 7/")
        assert page.locator("#find").input_value() == "item 7/"
        page.keyboard.press("Enter")
        page.wait_for_url("**/search?q=*")
        assert page.get_by_role("link", name="Item <7>").is_visible()


def test_titles_are_suggested_while_one_types(server: str, browser_page: Shown) -> None:
    with browser_page(server) as page:
        page.goto("/")
        with page.expect_response("**/v1/items?*"):
            page.locator("#find").press_sequentially("item", delay=5)
        page.wait_for_function("document.getElementById('found').children.length > 0")


def test_the_example_is_copied(server: str, browser: Browser) -> None:
    options = {"permissions": ["clipboard-read", "clipboard-write"]}
    with quiet(browser, server, **options) as page:
        page.goto("/model")
        page.get_by_role("button", name="Copy").click()
        page.wait_for_function("document.querySelector('[data-copy]').textContent === 'Copied'")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.startswith("curl http") and copied == page.locator("#example").inner_text()


def test_everything_works_without_scripts(server: str, browser_page: Shown) -> None:
    with browser_page(server, java_script_enabled=False) as page:
        page.goto("/")
        follow(page, page.get_by_role("link", name="7 days"))
        assert page.locator(".choices [aria-current]").inner_text() == "7 days"
        page.locator("#find").fill("item")
        follow(page, page.get_by_role("button", name="Find"))
        assert "Found for" in page.locator("h1").inner_text()
        follow(page, page.get_by_role("link", name="Model", exact=True))
        assert page.locator("[data-copy]").is_hidden()
        assert page.frame_locator("iframe").locator("h1").is_visible()


def test_one_signs_in_and_out(opened: Opened, browser: Browser, tmp_path: Path) -> None:
    keys = KeyFile.of({"shop": "sesame"})
    with (
        Store.open(tmp_path / "s.sqlite") as store,
        listening(Service(opened, store, LIMITS), keys=keys) as server,
        quiet(browser, server, refused=(401,)) as page,  # a browser says so itself
    ):
        page.goto("/model")
        page.get_by_label("Key", exact=True).fill("guess")
        page.keyboard.press("Enter")
        page.get_by_role("alert").wait_for()
        page.goto("/search?q=item")
        page.get_by_label("Key", exact=True).fill("sesame")
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Sign out").wait_for()
        assert page.url.endswith("/search?q=item")
        assert page.evaluate("document.cookie") == ""
        page.goto("/model")
        page.frame_locator("iframe").locator("h1").wait_for()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url("**/sign-in")
        page.goto("/")
        assert page.get_by_label("Key", exact=True).is_visible()
