"""Options of human priors: what cannot be built is refused, and JSON brings back what it was."""

import pytest

from tastemaker.config import from_json, to_json
from tastemaker.errors import BadInput
from tastemaker.recommend.priors_shape import PriorsConfig
from tests.recommend.small_priors import BACKBONE_NAMES, BACKBONES


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": 0},
        {"groups": 100_001},
        {"offsets": 0},
        {"offsets": 1001},
        {"negatives": 0},
        {"negatives": 1_000_001},
        {"offsets": 4, "segments": 3},
        {"offsets": 4, "segments": 0},
        {"segments": 2},
        {"in_group": -0.1},
        {"in_group": 1.1},
        {"in_group": float("nan")},
        {"switch": -1.0},
        {"switch": 1001.0},
        {"switch": float("nan")},
        {"start": -0.1},
        {"start": 1.5},
        {"start": float("nan")},
    ],
    ids=str,
)
def test_values_out_of_range_are_refused_by_name(wrong: dict[str, float]) -> None:
    with pytest.raises(BadInput) as caught:
        PriorsConfig(**wrong)  # type: ignore[arg-type]
    assert all(name in str(caught.value) for name in wrong)


@pytest.mark.parametrize(
    "priors", [("category", "community"), ("cluster", "event", "category"), ("user", "user")]
)
def test_two_priors_of_one_kind_are_refused_before_any_work(priors: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        PriorsConfig(priors=priors)  # type: ignore[arg-type]
    assert caught.value.where == "--model.priors"
    assert all(prior in caught.value.what for prior in priors)


@pytest.mark.parametrize(
    "wrong",
    [
        {"priors": ["genre"]},
        {"priors": "category"},
        {"composition": "deep"},
        {"merge": "max"},
        {"weighting": "rare"},
        {"offsets": 2.5},
        {"switch": "on"},
        {"backbone": {"kind": "Popularity"}},
        {"prior": ["category"]},
    ],
    ids=str,
)
def test_names_that_nothing_has_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput) as caught:
        from_json(PriorsConfig, to_json(PriorsConfig()) | wrong, "model_config")
    assert next(iter(wrong)) in str(caught.value)


@pytest.mark.parametrize("backbone", BACKBONES, ids=BACKBONE_NAMES)
@pytest.mark.parametrize("priors", [(), ("category",), ("community", "event", "user")])
def test_json_brings_back_what_it_was(backbone: object, priors: tuple[str, ...]) -> None:
    config = PriorsConfig(
        backbone,  # type: ignore[arg-type]
        priors,  # type: ignore[arg-type]
        composition="additive",
        offsets=4,
        segments=2,
        merge="calibrated",
        switch=0.5,
    )
    assert from_json(PriorsConfig, to_json(config), "model_config") == config


def test_what_a_run_asks_is_the_backbones() -> None:
    for backbone in BACKBONES:
        config = PriorsConfig(backbone)
        assert (config.dim, config.history) == (backbone.dim, backbone.history)
        assert config.foreign() == backbone.foreign()
        assert config.suited(50_000, times=False).backbone == backbone.suited(50_000, False)
