"""Pages of users and items in a real browser: search, add an event, dial, boost, hide, erase."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tastemaker.serve.events import Event
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS, with_heads
from tests.serve.web.browser import browser_needed, fits, follow, listening
from tests.serve.web.conftest import Shown

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = browser_needed
EVIL = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def dialled(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server whose run says what goes with an item."""
    kept = tmp_path_factory.mktemp("dialled") / "kept.sqlite"
    with Store.open(kept) as store, listening(Service(with_heads(opened), store, LIMITS)) as here:
        yield here


@pytest.fixture(scope="module")
def evil(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server to which somebody told what should be no HTML."""
    kept = tmp_path_factory.mktemp("evil") / "kept.sqlite"
    with Store.open(kept) as store:
        store.append([Event(f"e{n}", EVIL, item, 2e9) for n, item in enumerate((EVIL, "i1"))])
        store.append([Event("up", "..", "i1", 2e9)])
        store.hide(EVIL)
        with listening(Service(opened, store, LIMITS)) as address:
            yield address


def titles(page: Page) -> list[str]:
    return page.locator("#list .title").all_text_contents()


def add(page: Page, item: str) -> None:
    page.locator("#item").fill(item)
    follow(page, page.get_by_role("button", name="Add", exact=True))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_find_a_user_add_an_event_boost_and_erase(
    server: str, browser_page: Shown, scripts: bool
) -> None:
    user = "u7" if scripts else "u8"
    with browser_page(server, java_script_enabled=scripts) as page:
        page.goto("/users")
        page.get_by_label("Find a user by how their id begins").fill(user)
        follow(page, page.locator("form.search").get_by_role("button", name="Find"))
        follow(page, page.get_by_role("link", name=user, exact=True))
        assert page.locator("h1").text_content() == user
        before, done = titles(page), page.locator("#events .deeds li").count()
        add(page, "Item <33>")
        banner = page.locator(".banner")
        assert "Item <33> was added." in str(banner.text_content())
        assert titles(page) != before
        assert page.locator("#list .new, #list .up, #list .down").count() > 0
        assert page.locator("#events .deeds li").count() == min(done + 1, 15)
        # More of a group: its items come first.
        page.get_by_label("More or less of").select_option("Even")
        if scripts:
            page.get_by_label("by", exact=True).fill("0.5")
            page.wait_for_url("**weight=0.5**")
        else:
            page.get_by_label("by", exact=True).press("End")
            follow(page, page.get_by_role("button", name="Apply"))
        assert "Favoured groups: Even" in str(page.locator("#list").text_content())
        assert "Even" in str(page.locator("#list .listed li").first.text_content())
        page.get_by_text("Erase everything that is known").click()
        page.get_by_label("I mean").check()
        follow(page, page.get_by_role("button", name="Erase this user"))
        assert "was erased" in str(page.locator(".banner").text_content())
        page.goto(f"/users/{user}")
        assert page.get_by_text("This user was erased.").is_visible()


def test_a_title_that_is_not_clear_is_asked_about(server: str, browser_page: Shown) -> None:
    with browser_page(server) as page:
        page.goto("/users/somebody")
        add(page, "itme 12")
        page.get_by_label("Item <12>").check()
        follow(page, page.get_by_role("button", name="Add this one"))
        assert "Item <12> was added." in str(page.locator(".banner").text_content())


def test_each_model_has_its_list_and_what_is_typed_stays(server: str, browser_page: Shown) -> None:
    with browser_page(server) as page:
        page.goto("/users/u3")
        follow(page, page.get_by_role("link", name="popularity", exact=True))
        assert page.get_by_text("Ranked by popularity").is_visible()
        page.locator("#item").fill("half a ti")
        page.get_by_label("Only", exact=True).select_option("Odd")
        page.get_by_text("Only from: Odd").wait_for()
        page.wait_for_url("**only=Odd*")
        assert page.locator("#item").input_value() == "half a ti"
        assert "model=popularity" in page.url
        assert "only=Odd" in str(page.locator("#add").get_attribute("action"))


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_dial_moves_what_goes_with_an_item(
    dialled: str, browser_page: Shown, scripts: bool
) -> None:
    with browser_page(dialled, java_script_enabled=scripts) as page:
        page.goto("/items?q=Item+5")
        follow(page, page.get_by_role("link", name="Item <5>", exact=True))
        dial = page.get_by_role("slider")
        lists = {}
        for key, share in (("Home", "0"), ("End", "1")):
            dial.focus()
            dial.press(key)
            if scripts:
                page.wait_for_url(f"**relevance={share}*")
                assert dial.evaluate("dial => dial === document.activeElement")
                assert page.locator("output").text_content() == share
            else:
                follow(page, page.get_by_role("button", name="Apply"))
            lists[share] = titles(page)
        assert lists["0"] != lists["1"] and lists["0"]


def test_a_hidden_item_vanishes_and_comes_back(server: str, browser_page: Shown) -> None:
    with browser_page(server) as page:
        page.goto("/users/u4")
        first = titles(page)[0]
        follow(page, page.get_by_role("link", name=first, exact=True).first)
        follow(page, page.get_by_role("button", name="Hide it"))
        assert page.locator("h1 .tag").text_content() == "hidden"
        item = page.url
        page.goto("/users/u4")
        assert first not in titles(page)
        page.goto(item)
        follow(page, page.get_by_role("button", name="Offer it again"))
        page.goto("/users/u4")
        assert titles(page)[0] == first


def test_a_history_is_tried_without_being_kept(server: str, browser_page: Shown) -> None:
    with browser_page(server) as page:
        page.goto("/users")
        follow(page, page.get_by_role("link", name="Try any history"))
        for title in ("Item <3>", "Item <4>"):
            page.get_by_label("Add an item").fill(title)
            follow(page, page.get_by_role("button", name="Add", exact=True))
        assert "Item <4> was added." in str(page.locator(".banner").text_content())
        follow(page, page.get_by_role("link", name="Take out Item <4>"))
        assert page.locator("#history .deeds li").count() == 1


def test_what_looks_like_html_is_text(evil: str, browser_page: Shown) -> None:
    with browser_page(evil) as page:
        page.goto("/users")
        follow(page, page.get_by_role("link", name=EVIL))
        assert page.locator("h1").text_content() == EVIL
        assert page.locator("li bdi", has_text=EVIL).count() == 1  # the run does not have the item
        assert page.locator("main img").count() == 0
        page.goto("/users")
        follow(page, page.get_by_role("link", name="..", exact=True))
        assert page.locator("h1").text_content() == ".."
        page.goto("/items")
        assert page.get_by_role("link", name=EVIL).count() == 1
        assert page.locator("main img").count() == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [380, 1280])
def test_pages_are_silent_and_fit(
    dialled: str, browser_page: Shown, width: int, scheme: str
) -> None:
    viewport = {"width": width, "height": 900}
    with browser_page(dialled, viewport=viewport, color_scheme=scheme) as page:
        for path in ("/users", "/users/u1", f"/users/{'x' * 200}", "/items", "/items/i5", "/try"):
            page.goto(path)
            assert fits(page), path


def test_an_event_is_added_by_keyboard_alone(server: str, browser_page: Shown) -> None:
    with browser_page(server) as page:
        page.goto("/users/u5")
        page.get_by_role("link", name="Add an event").focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**#add")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == "item"
        page.keyboard.type("Item <20>")
        with page.expect_navigation():
            page.keyboard.press("Enter")
        assert page.locator(".banner").is_visible()
        page.get_by_text("Erase everything that is known").focus()
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.name") == "sure"


def test_a_dial_that_cannot_ask_leaves_its_button(server: str, browser_page: Shown) -> None:
    with browser_page(server) as page:
        page.goto("/users/u6")
        apply = page.get_by_role("button", name="Apply")
        assert not apply.is_visible()
        page.route("**/users/u6?*", lambda route: route.abort("aborted"))
        page.get_by_label("Only", exact=True).select_option("Odd")
        apply.wait_for()
        page.unroute("**/users/u6?*")
        follow(page, apply)
        assert "Only from: Odd" in str(page.locator("#list").text_content())
