"""Pictures of items in a real browser: all of them load, and pages fit small screens."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tastemaker.serve.looks import Looks
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.pictured import Colours
from tests.serve.served import LIMITS
from tests.serve.web.browser import browser_needed, fits, listening
from tests.serve.web.conftest import Shown

pytestmark = browser_needed


@pytest.fixture(scope="module")
def shop(pictured: Opened, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server that shows pictures, and finds items by them."""
    place = tmp_path_factory.mktemp("shop")
    with pytest.MonkeyPatch.context() as patch, Store.open(place / "kept.sqlite") as store:
        patch.setenv("TASTEMAKER_CACHE", str(place / "cache"))
        with listening(Service(pictured, store, LIMITS, looks=Looks(Colours()))) as address:
            yield address


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1280, "light")])
def test_pictures_load_and_pages_fit(
    shop: str, browser_page: Shown, width: int, scheme: str
) -> None:
    viewport = {"width": width, "height": 900}
    with browser_page(shop, viewport=viewport, color_scheme=scheme) as page:
        for path in ("/search?q=a blue one", "/items/i4", "/items", "/users/u1"):
            page.goto(path)
            assert fits(page), path
            pictures = page.locator("img[src$='/picture']")
            assert pictures.count() >= 5, path
            for picture in pictures.all()[:5]:
                picture.scroll_into_view_if_needed()
                picture.evaluate("one => one.decode()")
                assert picture.evaluate("one => one.naturalWidth") > 0
                box = picture.bounding_box()
                assert box and 40 < box["width"] < 400 and abs(box["height"] - box["width"]) < 80
