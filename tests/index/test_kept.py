"""What is opened is what was saved; a folder that says that it is sound is checked all the same."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tastemaker import artifacts, files
from tastemaker.errors import ArtefactError
from tastemaker.index.choice import IndexOptions
from tastemaker.index.kept import ENGINE, ROWS, VECTORS
from tastemaker.index.vectors import VectorIndex, make_index
from tests.index.worlds import equal, some_vectors

NAN = float("nan")


@pytest.fixture(scope="module", params=["exact", "hnsw", "ivf"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("kept") / str(request.param)
    options = IndexOptions(kind=request.param)
    index = make_index(some_vectors(300, 4), ids=np.arange(300) * 2, options=options)
    index.remove([8, 10])
    index.save(place)
    return place


def rewritten(folder: Path, place: Path, change: Callable[[Path, dict[str, Any]], None]) -> Path:
    """A copy whose manifest agrees with whatever `change` does to its files and to `meta`."""
    shutil.copytree(folder, place)
    meta = artifacts.meta_of(place)
    change(place, meta)
    (place / artifacts.MANIFEST).unlink()
    artifacts.seal(place, "index", meta, [path.name for path in place.iterdir()])
    artifacts.verify(place, "index")
    return place


def with_tensors(name: str, **new: Any) -> Callable[[Path, dict[str, Any]], None]:
    def change(place: Path, _: dict[str, Any]) -> None:
        tensors = files.load_tensors(place / name)
        for key, value in new.items():
            tensors[key] = value(tensors[key]) if callable(value) else value
        ready = {key: tensor.clone() for key, tensor in tensors.items() if tensor is not None}
        (place / name).unlink()
        files.save_tensors(place / name, ready)

    return change


def put(value: float, place: int = 5) -> Callable[[torch.Tensor], torch.Tensor]:
    def change(tensor: torch.Tensor) -> torch.Tensor:
        changed = tensor.clone()
        changed.view(-1)[place] = value
        return changed

    return change


DAMAGES = {
    "nan vector": with_tensors(VECTORS, vectors=put(NAN)),
    "huge vector": with_tensors(VECTORS, vectors=put(1e30)),
    "flat vectors": with_tensors(VECTORS, vectors=lambda t: t.flatten()),
    "no width": with_tensors(VECTORS, vectors=lambda t: t[:, :0]),
    "narrower": with_tensors(VECTORS, vectors=lambda t: t[:, :3]),
    "fewer vectors": with_tensors(VECTORS, vectors=lambda t: t[:-1]),
    "half precision": with_tensors(VECTORS, vectors=lambda t: t.half()),
    "second tensor": with_tensors(VECTORS, more=torch.zeros(3)),
    "id twice": with_tensors(ROWS, ids=put(0, 7)),
    "negative id": with_tensors(ROWS, ids=put(-4, 7)),
    "fewer ids": with_tensors(ROWS, ids=lambda t: t[1:]),
    "ids of 32 bits": with_tensors(ROWS, ids=lambda t: t.int()),
    "one dead of another size": with_tensors(ROWS, alive=lambda t: t[:4]),
    "no queries": with_tensors(ROWS, queries=None),
    "queries of another width": with_tensors(ROWS, queries=torch.zeros(2, 9)),
    "nan query": with_tensors(ROWS, queries=torch.full((1, 4), NAN)),
    "queries without end": with_tensors(ROWS, queries=torch.zeros(501, 4)),
    "no safetensors": lambda place, _: (place / ROWS).write_bytes(b"\x80\x04.") and None,
    "meta gone": lambda _, meta: meta.clear(),
    "kind unknown": lambda _, meta: meta["calibration"].update(kind="tree"),
    "effort a text": lambda _, meta: meta["calibration"].update(parameters={"effort": "9"}),
    "recall above 1": lambda _, meta: meta["calibration"].update(reached=1.5),
    "changed a text": lambda _, meta: meta.update(changed="no"),
    "option unknown": lambda _, meta: meta["options"].update(size=3),
    "options none": lambda _, meta: meta.update(options=[]),
    "at 0": lambda _, meta: meta["options"].update(at=0),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_that_the_manifest_does_not_show_is_refused(
    folder: Path, tmp_path: Path, damage: str
) -> None:
    place = rewritten(folder, tmp_path / "damaged", DAMAGES[damage])
    with pytest.raises(ArtefactError):
        VectorIndex.open(place)


ENGINES = {
    "hnsw": {
        "neighbours": [put(300), put(-7), lambda t: t[:-1], lambda t: t.long(), None],
        "levels": [put(0), put(9), lambda t: t[:-1]],
        "entry": [put(300, 0), put(-1, 0), lambda t: t[:0]],
    },
    "ivf": {
        "centres": [put(NAN), lambda t: t[:, :2], lambda t: t[:1], lambda t: t[:0], None],
        "cells": [put(-1), put(10_000), lambda t: t[:-1], lambda t: t.long()],
    },
}


def test_engines_that_do_not_fit_their_vectors_are_refused(folder: Path, tmp_path: Path) -> None:
    changes = [
        with_tensors(ENGINE, **{name: change})
        for name, several in ENGINES.get(folder.name, {}).items()
        for change in several
    ]
    for number, change in enumerate(changes):
        place = rewritten(folder, tmp_path / str(number), change)
        with pytest.raises(ArtefactError):
            VectorIndex.open(place)


def test_an_engine_that_is_missing_or_of_another_kind_is_refused(
    folder: Path, tmp_path: Path
) -> None:
    def other(place: Path, meta: dict[str, Any]) -> None:
        found = meta["calibration"]
        found["kind"] = {"exact": "hnsw", "hnsw": "ivf", "ivf": "exact"}[found["kind"]]

    def gone(place: Path, _: dict[str, Any]) -> None:
        (place / ENGINE).unlink(missing_ok=True)

    damages = [other] if folder.name == "exact" else [other, gone]
    for number, damage in enumerate(damages):
        with pytest.raises(ArtefactError):
            VectorIndex.open(rewritten(folder, tmp_path / str(number), damage))


def test_every_flipped_byte_is_noticed(folder: Path, tmp_path: Path) -> None:
    place = Path(shutil.copytree(folder, tmp_path / "copy"))
    rng = np.random.default_rng(0)
    for path in place.glob("*.safetensors"):
        good = path.read_bytes()
        for spot in rng.integers(0, len(good), 10):
            bad = bytearray(good)
            bad[spot] ^= 1 << int(rng.integers(8))
            path.write_bytes(bad)
            with pytest.raises(ArtefactError):
                VectorIndex.open(place)
        path.write_bytes(good)
    VectorIndex.open(place)


def test_a_folder_is_never_overwritten_and_another_kind_never_opened(
    folder: Path, tmp_path: Path
) -> None:
    index = VectorIndex.open(folder)
    with pytest.raises(ArtefactError):
        index.save(folder)
    with artifacts.staged(tmp_path / "other", "checkpoint", {}) as partial:
        (partial / VECTORS).write_bytes(b"")
    with pytest.raises(ArtefactError):
        VectorIndex.open(tmp_path / "other")
    with pytest.raises(ArtefactError):
        VectorIndex.open(tmp_path / "nothing")


def test_an_opened_index_can_be_changed_and_saved_and_the_folder_stays(
    folder: Path, tmp_path: Path
) -> None:
    index, queries = VectorIndex.open(folder), some_vectors(9, 4, seed=1)
    before = index.search(queries, 5)
    assert len(index) == 298 and not np.isin([8, 10], index.ids).any()
    index.add([8, 1], some_vectors(2, 4, seed=2))
    index.remove([0])
    index.save(tmp_path / "next")
    again = VectorIndex.open(tmp_path / "next")
    assert equal(again.search(queries, 5), index.search(queries, 5))
    assert np.array_equal(again.ids, index.ids) and again.calibration == index.calibration
    assert equal(VectorIndex.open(folder).search(queries, 5), before)


def test_equal_indexes_are_equal_bytes(tmp_path: Path) -> None:
    vectors = some_vectors(200, 4)
    for name in ("one", "two"):
        make_index(vectors, options=IndexOptions(kind="exact")).save(tmp_path / name)
    for path in (tmp_path / "one").glob("*.safetensors"):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
