"""A tiny causal model that answers in bytes, on disk."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def chatty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal model of two layers with a chat template."""
    from tests.models.conftest import save_chatty  # skips where transformers is missing

    return save_chatty(tmp_path_factory.mktemp("chatty"))
