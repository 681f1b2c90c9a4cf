"""From the browser to a new model: what is told by the page is learnt, and the page says so."""

from pathlib import Path

from tastemaker.serve.update import update
from tests.serve.test_update import ACCEPT, run, serving, until
from tests.serve.web.browser import browser_needed, follow, quiet, started

__all__ = ["run"]
pytestmark = browser_needed


def test_events_of_the_page_are_learnt_and_the_page_is_of_the_new_run(run: Path) -> None:
    with serving(run) as address, started() as browser, quiet(browser, address) as page:
        for item in ("i3", "i4", "i5", "i6"):
            page.goto("/users/she")
            page.get_by_label("Item", exact=True).fill(item)
            follow(page, page.get_by_role("button", name="Add", exact=True))
            assert page.locator(".banner").is_visible()
        served = page.locator("header code, header .mono").first
        before = served.inner_text()
        answer = update(run, options=ACCEPT)
        assert answer["published"] and answer["new"]["events"] == 4

        def swapped() -> bool:
            page.goto("/users/she")
            return served.inner_text() not in ("", before)

        until(swapped)
        assert str(answer["version"]).startswith(served.inner_text())
        told = page.locator("main").inner_text()
        assert "4 events" in told and "told to this server" in told
        assert page.locator("#list li").count() > 0
