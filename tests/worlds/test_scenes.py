import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.worlds.scenes import CELL, SceneOptions, scenes, shrunk
from tastemaker.worlds.sprites import shapes

SPRITES = shapes(variants=5)


def test_every_thing_is_where_it_is_said_to_be() -> None:
    world = scenes(SPRITES, SceneOptions(scenes=200, noise=0.0))
    assert world.images.shape == (200, 64, 64) and len(world) == 200
    for image, things in zip(world.images, world.things, strict=True):
        assert len({t.kind for t in things}) == len(things)
        places = [t.place for t in things]
        assert places == sorted(set(places))
        for place in range(4):
            row, column = divmod(place, 2)
            cell = image[row * CELL :, column * CELL :][:CELL, :CELL]
            assert (cell.max() > 60) == (place in places)


def test_a_scene_does_not_depend_on_how_many_are_drawn() -> None:
    few, many = (scenes(SPRITES, SceneOptions(scenes=n)) for n in (3, 9))
    assert few.things == many.things[:3]
    assert np.array_equal(few.images, many.images[:3])
    other = scenes(SPRITES, SceneOptions(scenes=3, seed=1))
    assert other.things != few.things


def test_large_is_larger_than_small() -> None:
    world = scenes(SPRITES, SceneOptions(scenes=300, most=1, noise=0.0))
    inked = {large: [] for large in (False, True)}
    for image, (thing,) in zip(world.images, world.things, strict=True):
        inked[thing.large].append(int((image > 60).sum()))
    assert np.mean(inked[True]) > 1.7 * np.mean(inked[False])


def test_kinds_are_unequal_and_come_with_their_partners() -> None:
    world = scenes(SPRITES, SceneOptions(scenes=1500))
    counts = np.bincount([t.kind for things in world.things for t in things], minlength=10)
    assert counts[0] > 1.5 * counts[9]
    pairs = [{t.kind for t in things} for things in world.things if len(things) == 2]
    partnered = [any(SPRITES.partners[k] in pair for k in pair) for pair in pairs]
    assert np.mean(partnered) > 0.5


def test_what_is_kept_out_is_never_drawn() -> None:
    out = ((0, True), (4, False))
    world = scenes(SPRITES, SceneOptions(scenes=300, without=out))
    drawn = {(t.kind, t.large) for things in world.things for t in things}
    assert not drawn & set(out) and (0, False) in drawn
    with pytest.raises(BadInput, match="both sizes"):
        scenes(SPRITES, SceneOptions(scenes=300, without=((0, True), (0, False))))


@pytest.mark.parametrize(
    "bad", [{"scenes": 0}, {"most": 5}, {"most": 0}, {"together": 1.1}, {"noise": float("nan")}]
)
def test_what_makes_no_scene_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        SceneOptions(**bad)  # type: ignore[arg-type]


def test_shrinking_keeps_the_mean() -> None:
    sprite = np.random.default_rng(0).random((28, 28)).astype(np.float32)
    assert shrunk(sprite, 28) == pytest.approx(sprite, abs=1e-6)
    assert shrunk(sprite, 18).mean() == pytest.approx(sprite.mean(), abs=1e-5)
    assert shrunk(sprite, 14) == pytest.approx(sprite.reshape(14, 2, 14, 2).mean((1, 3)), abs=1e-6)
