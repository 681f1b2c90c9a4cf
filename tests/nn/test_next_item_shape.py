"""Shapes that cannot be built are refused; a shape says what its loss needs."""

from dataclasses import dataclass

import pytest

from tastemaker.errors import BadInput
from tastemaker.nn.next_item_shape import NextItemConfig


@dataclass(frozen=True)
class MeanConfig(NextItemConfig):
    """No option of its own."""


@pytest.mark.parametrize(
    "wrong",
    [{"dim": 0}, {"heads": 3}, {"layers": 0}, {"dropout": 1.0}, {"history": 0}, {"negatives": -1}],
)
def test_shapes_that_cannot_be_built(wrong: dict[str, int]) -> None:
    with pytest.raises(BadInput, match=next(iter(wrong))):
        NextItemConfig(**wrong)  # type: ignore[arg-type]


def test_a_softmax_over_all_needs_no_negatives() -> None:
    assert MeanConfig(loss="softmax").sampled == 0
    assert MeanConfig(loss="gbce", negatives=7).sampled == 7


def test_the_loss_suits_the_catalogue_unless_it_is_named() -> None:
    assert MeanConfig().suited(20_000) == MeanConfig(loss="softmax")
    assert MeanConfig().suited(20_001, times=False) == MeanConfig(loss="sampled")
    assert MeanConfig(loss="gbce").suited(10) == MeanConfig(loss="gbce")
