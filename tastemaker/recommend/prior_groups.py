"""Stands in for what is being written elsewhere."""

from tastemaker.data.ground import Ground
from tastemaker.data.groupings import Grouping
from tastemaker.recommend.priors_shape import Prior, PriorsConfig


def grouping_of(prior: Prior, config: PriorsConfig, ground: Ground) -> Grouping:
    """Groups of a prior."""
    return ground.groupings[prior]
