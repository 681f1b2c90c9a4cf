"""A folder a class: pictures read whole, or refused with everything that is wrong with them."""

from pathlib import Path

import numpy as np
import pytest

from tastemaker.data.labelled import PictureForm
from tastemaker.data.problems import BadData
from tastemaker.errors import BadInput
from tastemaker.models import labelled_pictures
from tastemaker.models.labelled_pictures import (
    holds_pictures,
    picture_inputs,
    read_pictures,
    read_pictures_alike,
)

Image = pytest.importorskip("PIL.Image", reason="needs tastemaker[vision]")


def save(folder: Path, classes: str = "ab", each: int = 3, colours: int = 0) -> Path:
    rng = np.random.default_rng(0)
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(each):
            size = (9, 12, colours) if colours else (9, 12)
            pixels = rng.integers(0, 256, size, np.uint8)
            Image.fromarray(pixels).save(folder / name / f"{number}.png")
    return folder


@pytest.mark.parametrize(("colours", "shape"), [(0, (6, 8, 8)), (3, (6, 8, 8, 3))])
def test_folders_are_classes(tmp_path: Path, colours: int, shape: tuple[int, ...]) -> None:
    folder = save(tmp_path / "set", colours=colours)
    assert holds_pictures(folder) and not holds_pictures(tmp_path)
    data = read_pictures(folder, 8)
    assert data.inputs.shape == shape and data.inputs.dtype == np.float32
    assert 0 <= data.inputs.min() < data.inputs.max() <= 1
    assert data.form == PictureForm(("a", "b"), 8, 3 if colours else 1)
    assert data.labels.tolist() == [0, 0, 0, 1, 1, 1]
    one = picture_inputs([folder / "b" / "1.png"], data.form)
    np.testing.assert_array_equal(one[0], data.inputs[4])


def test_a_client_may_lack_a_class_and_brings_no_new_one(tmp_path: Path) -> None:
    form = PictureForm(("a", "b"), 8, 1)
    data = read_pictures_alike(save(tmp_path / "own", "b", 1, 3), form)
    assert data.labels.tolist() == [1] and data.inputs.shape == (1, 8, 8)
    with pytest.raises(BadData) as fault:
        read_pictures_alike(save(tmp_path / "other", "bc", 1), form)
    assert [p.value for p in fault.value.problems] == ["'c'"]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    folder = save(tmp_path / "set", "abc")
    (folder / "a" / "3.png").write_bytes(b"no picture")
    (folder / "b" / "0.png").unlink()
    with pytest.raises(BadData) as fault:
        read_pictures(folder, 8)
    assert [Path(p.file).name for p in fault.value.problems] == ["b", "3.png"]
    with pytest.raises(BadData):
        picture_inputs([folder / "a" / "3.png"], PictureForm(("a", "b"), 8, 1))


@pytest.mark.parametrize("classes", ["", "a"])
def test_fewer_than_two_classes_are_refused(tmp_path: Path, classes: str) -> None:
    (tmp_path / "set").mkdir()
    with pytest.raises(BadInput):
        read_pictures(save(tmp_path / "set", classes), 8)


def test_what_fills_the_memory_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(labelled_pictures, "MOST_BYTES", 1000)
    with pytest.raises(BadInput) as fault:
        read_pictures(save(tmp_path / "set"), 8)
    assert fault.value.where == "--side"
