"""A browser and a server for the tests of pages, each started once a module."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

import pytest

from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS
from tests.serve.web.browser import listening, quiet, started

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Shown = Callable[..., AbstractContextManager["Page"]]
"""`browser_page(server, viewport=…)`: a page whose every complaint fails the test."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with started() as opened_browser:
        yield opened_browser


@pytest.fixture(scope="module")
def server(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server of the small run; its store is empty at first."""
    kept = tmp_path_factory.mktemp("server") / "kept.sqlite"
    with Store.open(kept) as store, listening(Service(opened, store, LIMITS)) as address:
        yield address


@pytest.fixture
def browser_page(browser: Browser) -> Shown:
    def shown(server: str, **options: Any) -> AbstractContextManager[Page]:
        return quiet(browser, server, **options)

    return shown
