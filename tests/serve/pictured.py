"""A server on a run whose items have pictures, and something that sees their colours."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from PIL import Image
from starlette.testclient import TestClient

from tastemaker.serve.app import create_app
from tastemaker.serve.looks import Looks
from tastemaker.serve.opened import Opened
from tastemaker.serve.service import Service
from tastemaker.serve.store import Store
from tests.serve.served import LIMITS

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (40, 40, 230)}
"""Item n has a picture of the colour n modulo three, but for item 0, which has none."""


class Colours:
    """Pictures by their mean colour, and words by the colour that they name; an `Encode`."""

    dim, identity = 3, "c" * 64

    def content(self, one: Any, row: int) -> bytes:
        return Path(one).read_bytes()

    def __call__(self, inputs: Sequence[Any]) -> np.ndarray:
        rows = [self._seen(one) if isinstance(one, Path) else self._said(one) for one in inputs]
        return np.array([row / max(np.linalg.norm(row), 1e-9) for row in rows], np.float32)

    def _seen(self, path: Path) -> np.ndarray:
        with Image.open(path) as picture:
            return np.asarray(picture.convert("RGB"), np.float64).mean((0, 1))

    def _said(self, text: str) -> np.ndarray:
        return sum(
            (np.array(rgb, float) for word, rgb in COLOURS.items() if word in text), np.zeros(3)
        )


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of pictures."""
    folder = tmp_path_factory.mktemp("shots")
    for number in range(1, 40):
        colour = list(COLOURS.values())[number % 3]
        Image.new("RGB", (600, 400), colour).save(folder / f"{number}.png")
    return folder


@pytest.fixture(scope="session")
def pictured(opened: Opened, shots: Path) -> Opened:
    """The small run, whose catalogue names them."""
    saved = opened.saved
    number = pl.col("item_id").str.slice(1)
    name = pl.when(number != "0").then(number + ".png")
    catalog = replace(
        saved.data.catalog, frame=saved.data.catalog.frame.with_columns(image=name),
        folder=str(shots),
    )  # fmt: skip
    return Opened(replace(saved, data=replace(saved.data, catalog=catalog)), "v")


@pytest.fixture
def seen(
    pictured: Opened, kept: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestClient]:
    """A server of it that finds items by their pictures."""
    monkeypatch.setenv("TASTEMAKER_CACHE", str(tmp_path / "cache"))
    service = Service(pictured, kept, LIMITS, looks=Looks(Colours()))
    with TestClient(create_app(service)) as client:
        yield client
