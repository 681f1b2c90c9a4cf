"""The pages in a real browser: silent, for keyboards, for small screens, without scripts."""

from __future__ import annotations

import pytest

from tests.serve.web.browser import browser_needed, fits
from tests.serve.web.conftest import Shown

pytestmark = browser_needed


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_pages_are_silent_and_fit(
    server: str, browser_page: Shown, width: int, scheme: str
) -> None:
    viewport = {"width": width, "height": 900}
    with browser_page(server, viewport=viewport, color_scheme=scheme) as page:
        for path in ("/", "/model", "/search?q=item"):
            page.goto(path)
            assert fits(page), path
            assert page.locator("h1").is_visible()
