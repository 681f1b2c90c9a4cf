"""A store of either kind, empty."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tastemaker.serve.store import Store
from tests.serve.pictured import pictured, seen, shots
from tests.serve.postgres import Postgres
from tests.serve.served import client, headed, kept, opened, service

__all__ = ["client", "headed", "kept", "opened", "pictured", "seen", "service", "shots"]

KINDS = ("sqlite", "postgres")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres.make()
    yield server
    server.remove()


@pytest.fixture
def fresh(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """URL of an empty database of a kind; the server starts when the first test asks for it."""
    made = 0

    def make(kind: str) -> str:
        nonlocal made
        made += 1
        if kind == "sqlite":
            return str(tmp_path / f"store {made} #?%20'.sqlite")
        server: Postgres = request.getfixturevalue("postgres")
        return server.fresh()

    return make


@pytest.fixture(params=KINDS)
def url(request: pytest.FixtureRequest, fresh: Callable[[str], str]) -> str:
    return fresh(request.param)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url) as opened:
        yield opened
