"""Which items are alike: by the model's vectors, else by who chose them."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker.errors import BadInput
from tastemaker.run.likeness import Likeness, likeness_of
from tastemaker.run.saved import SavedRun, open_run
from tests.run.headed import headed


@pytest.fixture(scope="module")
def saved(finished_run: Path) -> SavedRun:
    return open_run(finished_run)


@dataclass(frozen=True)
class Wordless:
    """A model that knows no vectors."""


def test_vectors_are_those_of_the_model_at_length_one(saved: SavedRun) -> None:
    for run in (saved, headed(saved)):
        alike = likeness_of(run.models.neural, run.interactions)
        vectors = run.models.neural.item_vectors().detach().numpy()  # type: ignore[attr-defined]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        assert np.allclose(alike.vectors, vectors / lengths, atol=1e-6)
        assert alike.vectors is alike.vectors


def test_without_vectors_items_are_alike_that_the_same_users_chose(saved: SavedRun) -> None:
    vectors = likeness_of(Wordless(), saved.interactions).vectors  # type: ignore[arg-type]
    assert vectors.shape[0] == saved.interactions.num_items
    codes = saved.interactions.item_codes  # users walk along a ring of items
    near, far = (vectors[codes[i] - 1] @ vectors[codes["i10"] - 1] for i in ("i11", "i30"))
    assert near > far


def test_where_nothing_is_known_lists_cannot_lie_apart(saved: SavedRun) -> None:
    with pytest.raises(BadInput) as caught:
        _ = Likeness(lambda: torch.zeros(3, 2).numpy()).vectors
    assert caught.value.where == "--diversify"
    bare = replace(saved, shelf=replace(saved.shelf, likeness=None))
    with pytest.raises(BadInput):
        bare.recommend("u1", 5, diversify=0.5)
