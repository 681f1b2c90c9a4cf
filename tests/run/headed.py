"""A run whose neural model has named heads, without the training of one."""

from collections.abc import Mapping
from dataclasses import replace

import torch

from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.groupings import Grouping
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import PriorsConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig
from tastemaker.run.saved import SavedRun
from tastemaker.run.steering import NamedHeads

BACKBONE = SASRecConfig(dim=8, layers=1, heads=1, inner=8, history=6)
EVENTS = Grouping.from_event_names(["view", "like", "dislike"])
UNTRAINED = {"heads": {"untrained": {"event": ["dislike"]}}}


def priors(ground: Ground, groupings: Mapping[str, Grouping], **set_to: object) -> Priors:
    """Heads that differ, by groups and two horizons."""
    torch.manual_seed(3)
    shape = PriorsConfig(
        backbone=BACKBONE,
        offsets=2,
        segments=2,
        start=0.5,
        negatives=5,
        **{"merge": "combine"} | set_to,
    )  # type: ignore[arg-type]
    return Priors(shape, SASRec.build(BACKBONE, ground), groupings).eval()


def headed(saved: SavedRun, weight: float = 1.0, **set_to: object) -> SavedRun:
    """The same run with heads by category, kind of event and horizon in its neural model.

    Args:
        saved: A run.
        weight: Of that model in the blend.
        set_to: Options of the heads.
    """
    ground = Ground.of(saved.interactions.item_ids, saved.data.catalog)
    groupings = {CATEGORY: ground.groupings[CATEGORY], "event": EVENTS}
    models = replace(
        saved.models,
        neural_name="priors",
        neural=priors(ground, groupings, **set_to),
        weights={"priors": weight, "ease": 1.0},
    )
    heads = NamedHeads.of(models, UNTRAINED)
    return replace(saved, models=models, shelf=replace(saved.shelf, heads=heads))
