"""The world is what it says: three kinds of prompt, with traits in common."""

import numpy as np
import pytest

from tastemaker.errors import BadInput
from tastemaker.worlds.voters import KINDS, VoterOptions, voters


def test_the_untrained_model_is_right_misled_or_without_a_clue() -> None:
    world = voters(VoterOptions())
    np.testing.assert_allclose(world.chances.sum(1), 1)
    rows = np.arange(len(world.correct))
    right, wrong = world.chances[rows, world.correct], world.chances[rows, world.tempting]
    learnt = slice(0, world.prompts)
    for kind, chances in zip(KINDS, ((0.6, 0.4 / 11), (0.35, 0.45), (1 / 12,) * 2), strict=True):
        of = world.of_kind(kind)
        assert of.sum() == 30
        np.testing.assert_allclose(right[learnt][of], chances[0])
        np.testing.assert_allclose(wrong[learnt][of], chances[1])
    assert right.mean() == pytest.approx(0.344, abs=1e-3)
    assert (world.correct != world.tempting).all()


def test_a_trait_is_shared_by_prompts_of_all_kinds() -> None:
    world = voters(VoterOptions())
    rows = np.arange(len(world.correct))
    assert (world.features.sum((1, 2)) == 2).all()
    skills = world.features[rows, world.correct]
    tempted = world.features[rows, world.tempting]
    assert (skills[:, :10].sum(1) == 1).all() and (tempted[:, 10:].sum(1) == 1).all()
    for kind in range(3):
        assert (skills[world.kinds == kind, :10].sum(0) > 0).mean() > 0.8
        assert (tempted[world.kinds == kind, 10:].sum(0) > 0).mean() > 0.8


def test_the_world_of_a_seed_is_one() -> None:
    one, same, other = (voters(VoterOptions(seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.features, same.features)
    assert (one.correct != other.correct).any()


@pytest.mark.parametrize(
    "wrong", [{"prompts": 2}, {"answers": 2}, {"traits": 0}, {"consistent": 1.0}, {"misled": 0.7}]
)
def test_worlds_without_all_kinds_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput):
        VoterOptions(**wrong)  # type: ignore[arg-type]
