"""Shared by the tests of training."""

import signal
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def heeded() -> Iterator[None]:
    """Tests may run in the background, where shells have Ctrl-C ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
