import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.worlds.sprites import GARMENTS, garments, parted, shapes


def test_shapes_are_ten_different_kinds() -> None:
    sprites = shapes(variants=12)
    assert len(set(sprites.names)) == 10
    flat = [images.reshape(12, -1) for images in sprites.images]
    means = np.stack([one.mean(0) for one in flat])
    right = 0
    for kind, one in enumerate(flat):
        far = ((one[:, None] - means) ** 2).sum(-1)
        right += int((far.argmin(1) == kind).sum())
    assert right > 0.8 * 120  # the mean of each kind alone tells most of them
    assert all((images >= 0).all() and (images <= 1).all() for images in sprites.images)
    assert np.isclose(sum(sprites.rarity), 1)
    assert all(k != partner for k, partner in enumerate(sprites.partners))
    assert all(k != other for k, other in enumerate(sprites.lookalikes))


def test_the_same_seed_draws_the_same() -> None:
    one, two, other = shapes(3, seed=1), shapes(3, seed=1), shapes(3, seed=2)
    assert all(np.array_equal(a, b) for a, b in zip(one.images, two.images, strict=True))
    assert not all(np.array_equal(a, b) for a, b in zip(one.images, other.images, strict=True))


def test_garments_stand_by_class() -> None:
    labels = np.arange(20) % 10
    images = np.repeat(labels * 25, 28 * 28).reshape(20, 28, 28).astype(np.uint8)
    sprites = garments(images, labels)
    assert sprites.names == GARMENTS
    assert [float(one[0, 0, 0]) for one in sprites.images] == pytest.approx(
        [k * 25 / 255 for k in range(10)]
    )


@pytest.mark.parametrize(
    ("shape", "labels"),
    [((20, 8, 8), np.arange(20) % 10), ((20, 28, 28), np.arange(20) % 9),
     ((20, 28, 28), np.arange(20) % 11), ((20, 28, 28), np.arange(19) % 10)],
)  # fmt: skip
def test_what_are_no_garments_is_refused(shape: tuple[int, ...], labels: np.ndarray) -> None:
    with pytest.raises(BadInput):
        garments(np.zeros(shape, np.uint8), labels)


def test_no_picture_is_on_both_sides() -> None:
    train, held = parted(shapes(variants=10), 0.3)
    for one, two in zip(train.images, held.images, strict=True):
        assert len(one) == 7 and len(two) == 3
        assert not {a.tobytes() for a in one} & {b.tobytes() for b in two}
    with pytest.raises(BadInput):
        parted(shapes(variants=1), 0.3)
