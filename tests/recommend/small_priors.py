"""Small models of heads on every backbone and every axis, and what tests read of them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from tastemaker.data.catalog import SCHEMA, Catalog
from tastemaker.data.contexts import Contexts
from tastemaker.data.ground import CATEGORY, Ground
from tastemaker.data.grouping_files import Of
from tastemaker.data.groupings import Grouping
from tastemaker.nn.heads import Heads
from tastemaker.recommend.backbone_option import MODELS
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.prior_axes import Axes, Axis
from tastemaker.recommend.prior_batches import PriorBatch
from tastemaker.recommend.prior_gates import Gates
from tastemaker.recommend.priors import Priors
from tastemaker.recommend.priors_shape import BackboneConfig, PriorsConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tests.contracts import ITEMS, some_contexts

USERS = 30
KINDS = ("view", "like", "buy")
BACKBONES: list[BackboneConfig] = [
    SASRecConfig(dim=8, inner=8, history=8, dropout=0.0, loss="sampled", negatives=5),
    ESASRecConfig(dim=8, history=8, dropout=0.0, loss="sampled", negatives=5),
    HSTUConfig(dim=8, head_dim=4, history=8, dropout=0.0, loss="sampled", negatives=5, time="none"),
    HLLMConfig(dim=8, history=8, dropout=0.0, loss="sampled", negatives=5, max_tokens=8),
]
BACKBONE_NAMES = [type(backbone).__name__ for backbone in BACKBONES]
COMPOSITIONS = ("hierarchical", "multiplicative", "additive")
AXES = [(), ("category",), ("event",), ("user",), ("category", "event"), ("event", "user")]
AXES_NAMES = [" and ".join(axes) or "none" for axes in AXES]


def with_kinds(contexts: Contexts, seed: int = 0) -> Contexts:
    """The same with a random kind of each event."""
    kinds = np.random.default_rng(seed).integers(0, len(KINDS), len(contexts.items))
    return replace(contexts, events=kinds.astype(np.uint8))


TRAIN = with_kinds(some_contexts(rows=USERS, seed=5))


def ground(num_items: int = ITEMS) -> Ground:
    """Items of four groups; every third is of the first as well."""
    known = {
        "item_id": [f"i{n}" for n in range(num_items)],
        "title": [f"thing {n} of {n % 4}" for n in range(num_items)],
        "categories": [[f"g{n % 4}", *(["g0"] if n % 3 == 0 else [])] for n in range(num_items)],
    }
    nulls = [None] * num_items
    frame = pl.DataFrame({name: known.get(name, nulls) for name in SCHEMA}, SCHEMA)
    return Ground.of(pl.Series(known["item_id"]), Catalog(frame), TRAIN)


def grouping(rows: Sequence[Sequence[int]], of: Of = "items") -> Grouping:
    """A grouping from 0/1 rows, one a member; groups are called g0, g1, …"""
    table = sp.csr_array(np.array(rows, np.float32))
    return Grouping(tuple(f"g{group}" for group in range(table.shape[1])), table, of)


GROUPINGS: Mapping[str, Grouping] = {
    "category": ground().groupings[CATEGORY],
    "event": Grouping.from_event_names(KINDS),
    "user": Grouping.from_labels([f"club {user % 3}" for user in range(USERS)], "users"),
}


USUAL: dict[str, object] = {"negatives": 5, "merge": "combine", "shares": 0.0}
"""Options of a model that begins as its backbone."""


def built(
    priors: Sequence[str] = ("category",),
    backbone: BackboneConfig = BACKBONES[0],
    groupings: Mapping[str, Grouping] = GROUPINGS,
    seed: int = 0,
    **set_to: object,
) -> Priors:
    """A fresh model of heads for some priors."""
    torch.manual_seed(seed)
    shape = PriorsConfig(backbone, tuple(priors), **USUAL | set_to)  # type: ignore[arg-type]
    below = MODELS[type(backbone).__name__].build(backbone, ground())
    return Priors(shape, below, {prior: groupings[prior] for prior in priors})


def moved(module: nn.Module, seed: int = 1) -> None:
    """Every number of a module away from where it began."""
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.normal_(std=0.5)


def grown(net: Priors, seed: int = 1) -> Priors:
    """The same with heads and gates that differ."""
    moved(blocks_of(net), seed)
    moved(gates_of(net), seed + 1)
    return net


def steps(net: Priors, rows: int = 4) -> list[PriorBatch]:
    """The steps of an epoch; kinds of events and users are known."""
    return list(net.batches(TRAIN, rows).epoch(0))


def blocks_of(net: Priors) -> Heads:
    return net.heads.blocks


def gates_of(net: Priors) -> Gates:
    return net.heads.gates


def axes_of(net: Priors) -> Axes:
    return net.heads.axes


def cell_weights_of(net: Priors) -> Tensor:
    """(n,) w_c of every cell of every lesson; may be written into."""
    return net.heads.cell_weights


def axis_of(net: Priors, of: Of) -> int:
    """Number of the prior that groups such members."""
    return [axis.of for axis in axes_of(net).listed].index(of)


def belongs(axis: Axis) -> Tensor:
    """(M+1, C) bool; member 0 is in no group."""
    dense = torch.from_numpy(axis.grouping.membership.toarray() > 0)
    return torch.nn.functional.pad(dense, (0, 0, 1, 0))
