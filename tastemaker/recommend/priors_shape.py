"""Options of human priors: which knowledge, on which backbone, how heads are made and merged."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Literal, Self, get_args

from tastemaker.counts import counted
from tastemaker.data.grouping_files import Of
from tastemaker.errors import BadInput
from tastemaker.nn.heads import Composition
from tastemaker.recommend.backbone_option import NAMED, BackboneConfig
from tastemaker.recommend.prior_merge import Merge
from tastemaker.recommend.sasrec import SASRecConfig

Prior = Literal["category", "community", "cluster", "event", "user", "interest"]
MEMBERS: dict[str, Of] = {
    **dict.fromkeys(("category", "community", "cluster"), "items"),
    "event": "events",
    "user": "users",
    "interest": "users",
}
"""Prior → what it groups."""
GROUPINGS: dict[str, str] = {prior: f"groups-{prior}.arrow" for prior in get_args(Prior)}
"""Prior → file of a run that its groups stand in."""
HEADS = "heads.safetensors"
"""File of the heads' weights; those of the backbone stand where it alone would write them."""


@dataclass(frozen=True)
class PriorsConfig:
    """What heads are made of and what they stand on."""

    backbone: Annotated[BackboneConfig, NAMED] = field(default_factory=SASRecConfig)
    """what reads histories: sasrec, esasrec, hstu or hllm, with options as in hstu,dim=32"""
    priors: tuple[Prior, ...] = ("category",)
    """what heads are of; none: horizons alone; at most one of each line:
    of items: category, community (chosen alike), cluster (texts alike);
    event, by its kind;
    user, by what was chosen, or interest, by what they verifiably like more than others"""
    groups: int = 20
    """communities, clusters or groups of users, at most, with what is left in one more"""
    composition: Composition = "hierarchical"
    """how blocks make heads where there are several horizons"""
    offsets: int = 1
    """coming items that each position predicts, P"""
    segments: int = 1
    """horizons that they are parted into, from short term to long; divides `offsets`"""
    negatives: int = 512
    """negatives of each group"""
    in_group: float = 1.0
    """share of a group's negatives that are of the group; the others are of all items"""
    weighting: Literal["frequency", "uniform"] = "frequency"
    """groups count as often as they are chosen, or all alike"""
    merge: Merge = "calibrated"
    """the best head decides (combine), the mean of heads (average), or their probabilities times
    that of the head (calibrated)"""
    shares: float = 1.0
    """weight of learning which group comes next, by which `calibrated` merges; at 0 it is learnt
    from states that it leaves alone"""
    switch: float = 0.0
    """weight of learning which groups are still to come; heads of others are then off"""
    start: float = 0.0
    """spread of the heads' first weights; at 0 each head begins as the backbone"""
    prior_given_at_test: bool = False
    """allow scoring with a target's own group given, which tells a part of the answer"""

    def __post_init__(self) -> None:
        """Refuse what cannot be built.

        Raises:
            BadInput: Naming the option.
        """
        kinds = {MEMBERS.get(prior, prior) for prior in self.priors}
        if len(kinds) < len(self.priors):
            what = f"Of {', '.join(self.priors)}, two group the same."
            fix = "Give at most one of category, community and cluster, event once and user once."
            raise BadInput(what, "--model.priors", fix)
        for name, most in (("groups", 100_000), ("offsets", 1000), ("negatives", 1_000_000)):
            if not 1 <= vars(self)[name] <= most:
                what = f"{name} = {vars(self)[name]} is out of range."
                raise BadInput(what, "model options", f"Give a whole number from 1 to {most:,}.")
        if not 1 <= self.segments <= self.offsets or self.offsets % self.segments:
            what = f"{counted(self.offsets, 'offset')} cannot be parted into {self.segments} equal "
            fix = "Choose segments that divide offsets, such as 2 segments of 4 offsets."
            raise BadInput(f"{what}segments.", "model options", fix)
        if not (0 <= self.in_group <= 1 and 0 <= self.switch <= 1000 and 0 <= self.shares <= 1000):
            weights = f"switch = {self.switch} or shares = {self.shares}"
            what = f"in_group = {self.in_group}, {weights} is out of range."
            raise BadInput(what, "model options", "Give 0 to 1, and 0 to 1000.")
        if not 0 <= self.start <= 1:
            what = f"start = {self.start} is out of range."
            raise BadInput(what, "model options", "Give 0 to 1.")

    @property
    def dim(self) -> int:
        """Width of the backbone."""
        return self.backbone.dim

    @property
    def history(self) -> int:
        """Newest events of a user that are read."""
        return self.backbone.history

    def suited(self, num_items: int, times: bool = True) -> Self:
        """The same for a catalogue of I items and a log with times or in order alone."""
        return replace(self, backbone=self.backbone.suited(num_items, times))

    def foreign(self) -> dict[str, str]:
        """Option → the model on this machine that the backbone names."""
        return self.backbone.foreign()
