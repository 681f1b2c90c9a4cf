"""Whatever a saved model holds, it is refused with one kind of error or scores finite numbers."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from tastemaker import files
from tastemaker.errors import ArtefactError
from tastemaker.recommend.counting import COUNTING
from tastemaker.recommend.saved_tensors import RANGES, Saved, read_saved
from tests.contracts import ITEMS, some_contexts

TRAIN, FEW, QUERY = some_contexts(60, seed=9), some_contexts(12, seed=9), some_contexts(6, seed=3)
Array = np.ndarray
FAULTS: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "half": lambda a, rng: a.astype(np.float16),
    "single": lambda a, rng: a.astype(np.float32),
    "double": lambda a, rng: a.astype(np.float64),
    "short": lambda a, rng: a.astype(np.int16),
    "integer": lambda a, rng: a.astype(np.int64),
    "unsigned": lambda a, rng: a.astype(np.uint64),
    "complex": lambda a, rng: a.astype(np.complex64),
    "flag": lambda a, rng: a.astype(bool),
    "none": lambda a, rng: a[:0],
    "cut": lambda a, rng: a[:-1],
    "longer": lambda a, rng: np.concatenate([a, a[-1:]]),
    "column": lambda a, rng: a[..., None],
    "scalar": lambda a, rng: a.reshape(-1)[:1].reshape(()),
    "zeros": lambda a, rng: np.zeros_like(a),
    "shuffled": lambda a, rng: rng.permutation(a),
    "negative": lambda a, rng: put(a, rng, -1),
    "next": lambda a, rng: put(a, rng, ITEMS),
    "large": lambda a, rng: put(a, rng, 2**31 - 1),
    "overflow": lambda a, rng: put(a.astype(np.int64), rng, 2**62),
    "least": lambda a, rng: put(a.astype(np.int64), rng, -(2**63)),
    "huge": lambda a, rng: put(a, rng, 1e30),
    "enormous": lambda a, rng: put(a.astype(np.float64), rng, 1e300),
    "tiny": lambda a, rng: put(a, rng, 1e-38),
    "not a number": lambda a, rng: put(a, rng, np.nan),
    "infinite": lambda a, rng: put(a, rng, np.inf),
    "noise": lambda a, rng: rng.integers(-(2**62), 2**62, a.shape).astype(a.dtype),
}


def put(array: Array, rng: np.random.Generator, value: float) -> Array:
    """The array with one other number."""
    changed = array.copy()
    with np.errstate(all="ignore"):
        changed.reshape(-1)[rng.integers(changed.size)] = np.asarray(value).astype(array.dtype)
    return changed


def fitted(name: str) -> list[dict[str, Array]]:
    """What the model saves; of EASE both ways to fit it."""
    logs = (TRAIN, FEW) if name == "ease" else (TRAIN,)
    return [COUNTING[name].fit(log, ITEMS).tensors() for log in logs]


@pytest.mark.filterwarnings("ignore:.*(invalid value|overflow|discards the imaginary).*")
@pytest.mark.parametrize("name", COUNTING)
def test_no_corruption_of_any_part_ends_otherwise(name: str) -> None:
    rng = np.random.default_rng(0)
    tried = refused = 0
    for parts in fitted(name):
        for part, array in parts.items():
            for fault, corrupt in FAULTS.items():
                changed = parts | {part: corrupt(array, rng)}
                tried += 1
                try:
                    model = COUNTING[name].from_tensors(Saved(changed, ITEMS, "a file", name))
                except ArtefactError as error:
                    assert error.file == "a file" and name in error.what, (part, fault)
                    refused += 1
                    continue
                scores = model.score(QUERY)
                assert scores.shape == (len(QUERY), ITEMS), (part, fault)
                assert torch.isfinite(scores).all(), (part, fault)
    assert tried >= 26
    assert refused > tried / 2


@pytest.mark.parametrize("name", COUNTING)
def test_missing_parts_and_other_catalogues_are_refused(name: str) -> None:
    for parts in fitted(name):
        for part in parts:
            some = {other: array for other, array in parts.items() if other != part}
            with pytest.raises(ArtefactError):
                COUNTING[name].from_tensors(Saved(some, ITEMS))
        for size in (ITEMS - 1, ITEMS + 1, 0):
            with pytest.raises(ArtefactError):
                COUNTING[name].from_tensors(Saved(parts, size))


@pytest.mark.parametrize("bounds", [[0, 2, 1, 3], [1, 2, 3, 3], [0, 1, 2, 2], [0, 1, 2, 4], []])
def test_row_bounds_in_disorder_are_refused(bounds: list[int]) -> None:
    parts = {"indices": np.array([0, 1, 2]), "indptr": np.array(bounds, np.int64)}
    with pytest.raises(ArtefactError):
        Saved(parts, 3).rows(3)
    good = {"indices": np.array([0, 1, 2]), "indptr": np.array([0, 2, 2, 3])}
    assert [part.tolist() for part in Saved(good, 3).rows(3)] == [[0, 1, 2], [0, 2, 2, 3]]


def test_parts_are_sorted_by_the_model_they_belong_to(tmp_path: Path) -> None:
    path = tmp_path / "counting.safetensors"
    tensors = {"ease/inverse": torch.ones(2, 2), "ease/regulariser": torch.ones(1),
               "popularity/counts": torch.zeros(2),
               "candidates": torch.tensor([True, False])}  # fmt: skip
    files.save_tensors(path, tensors)
    saved = read_saved(path, 2)
    assert set(saved) == {"ease", "popularity", "candidates"}
    assert set(saved["ease"].parts) == {"inverse", "regulariser"}
    assert saved["candidates"].flags("", (2,)).tolist() == [True, False]
    assert saved["popularity"].file == str(path)


def test_a_type_that_no_model_saves_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "counting.safetensors"
    files.save_tensors(path, {"popularity/counts": torch.ones(3, dtype=torch.bfloat16)})
    with pytest.raises(ArtefactError, match="popularity/counts") as caught:
        read_saved(path, 3)
    assert caught.value.file == str(path)


@pytest.mark.parametrize("knob", RANGES)
def test_a_setting_out_of_its_range_is_refused(knob: str) -> None:
    least, most = RANGES[knob]
    for value in (least, most):
        assert Saved({"set": np.array([value], np.float64)}, 3).number("set", knob) == value
    for value in (least - 1, most * 2 + 1, np.nan, np.inf):
        with pytest.raises(ArtefactError):
            Saved({"set": np.array([value], np.float64)}, 3).number("set", knob)
