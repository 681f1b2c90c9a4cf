"""A server on a small run: one run a session, a store of its own for each test."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.limits import Limits
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.recommend.test_merge import some_heads
from tests.run.two_heads import Stand

LIMITS = Limits(k=50, batch=20, history=200, body=20_000)


@pytest.fixture(scope="session")
def opened(finished_run: Path) -> Opened:
    return Opened.open(finished_run)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "kept.sqlite") as opened_store:
        yield opened_store


@pytest.fixture
def service(opened: Opened, kept: Store) -> Service:
    return Service(opened, kept, LIMITS)


@pytest.fixture
def client(service: Service) -> Iterator[TestClient]:
    with TestClient(create_app(service)) as opened_client:
        yield opened_client


def with_heads(opened: Opened) -> Opened:
    """The run with a model that says what goes with an item."""
    saved = opened.saved
    stand = Stand(some_heads(saved.interactions.num_items))
    models = replace(saved.models, neural_name="mtmh", neural=stand)  # type: ignore[arg-type]
    return Opened(replace(saved, models=models), "v")


@pytest.fixture
def headed(opened: Opened, kept: Store) -> Iterator[TestClient]:
    """A server whose model says what goes with an item."""
    with TestClient(create_app(Service(with_heads(opened), kept, LIMITS))) as opened_client:
        yield opened_client
