"""Numbers are scaled by the server's examples; categories and pictures stay as they are."""

import numpy as np
import pytest

from tastemaker.data.feature_columns import FeatureColumns
from tastemaker.data.labelled import PictureForm, TableForm
from tastemaker.run.federate_scaling import FARTHEST, Scaling, scaling_of

FORM = TableForm("y", ("a", "b"), FeatureColumns({"x": (), "c": ("p", "q"), "same": ()}))
SEEN = np.array([[1, 1, 0, 7], [3, 0, 1, 7]], np.float32)


def test_numbers_get_mean_0_and_deviation_1() -> None:
    scaling = scaling_of(FORM, SEEN)
    assert scaling == Scaling((2.0, 0.0, 0.0, 7.0), (1.0, 1.0, 1.0, 1.0))
    assert scaling(SEEN).tolist() == [[-1, 1, 0, 0], [1, 0, 1, 0]]
    assert scaling(SEEN).dtype == np.float32


@pytest.mark.parametrize("far", [1e9, -1e9])
def test_what_lies_far_off_is_cut(far: float) -> None:
    scaled = scaling_of(FORM, SEEN)(np.array([[far, 0, 0, far]], np.float32))
    assert scaled.tolist() == [[np.sign(far) * FARTHEST, 0, 0, np.sign(far) * FARTHEST]]


def test_pictures_and_what_nothing_is_known_of_stay() -> None:
    pictures = np.ones((2, 4, 4), np.float32)
    assert scaling_of(PictureForm(("a", "b"), 4, 1), pictures)(pictures) is pictures
    assert scaling_of(FORM, SEEN[:0])(SEEN) is SEEN


@pytest.mark.parametrize(("count", "norm"), [(4, 2.0), (64, 4.0), (400, 4.0)])
def test_rows_of_many_numbers_are_no_longer_than_others(count: int, norm: float) -> None:
    seen = np.random.default_rng(0).normal(3, 7, (200, count)).astype(np.float32)
    form = TableForm("y", ("a", "b"), FeatureColumns({f"x{n}": () for n in range(count)}))
    scaled = scaling_of(form, seen)(seen)
    assert np.sqrt((scaled**2).sum(1).mean()) == pytest.approx(norm, rel=0.01)
