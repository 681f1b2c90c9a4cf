"""Indexes that tests share and do not change."""

from pathlib import Path

import pytest

from tastemaker.index.choice import IndexOptions
from tastemaker.index.exact import Floats
from tastemaker.index.vectors import VectorIndex, make_index
from tests.index.worlds import some_vectors

COUNT, DIM = 9000, 32


@pytest.fixture(scope="session")
def vectors() -> Floats:
    return some_vectors(COUNT, DIM)


@pytest.fixture(scope="session")
def kept(vectors: Floats, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of an index of each kind."""
    root = tmp_path_factory.mktemp("indexes")
    for kind in ("exact", "hnsw", "ivf"):
        make_index(vectors, options=IndexOptions(kind=kind)).save(root / kind)  # type: ignore[arg-type]
    return {kind: root / kind for kind in ("exact", "hnsw", "ivf")}


@pytest.fixture(scope="session")
def indexes(kept: dict[str, Path]) -> dict[str, VectorIndex]:
    return {kind: VectorIndex.open(folder) for kind, folder in kept.items()}
