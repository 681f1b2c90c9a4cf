"""A run's models are assembled once."""

from pathlib import Path

import pytest

from tastemaker.errors import BadInput
from tastemaker.run.saved import SavedRun, open_run
from tests.run.headed import headed


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


def test_what_ranks_is_made_once_and_ready_to_score(saved: SavedRun) -> None:
    for name in saved.models.names:
        ranker = saved.ranker(name)
        assert ranker is saved.ranker(name)
        assert ranker.heads is None
    assert not saved.models.neural.training  # type: ignore[attr-defined]
    assert headed(saved).ranker("blend").heads is not None
    with pytest.raises(BadInput, match="'gpt'"):
        saved.ranker("gpt")


def test_without_a_name_the_best_model_ranks(saved: SavedRun) -> None:
    assert saved.model_name() == saved.results["best"]
    assert saved.model_name("ease") == "ease"
    assert saved.model("ease") is saved.models.counting["ease"]
