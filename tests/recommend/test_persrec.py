"""PerSRec: the cached answer is the uncached one, and what is old is read through tokens alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tastemaker.data.batches import Batch, last
from tastemaker.data.contexts import Contexts
from tastemaker.recommend.backbone_option import BackboneConfig, fresh_backbone
from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec import Memory, PerSRec
from tastemaker.recommend.persrec_layout import columns_of, laid_out, split_rows
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig
from tests.contracts import ITEMS
from tests.recommend.test_backbones import ground

SMALL: dict[str, Any] = {"dim": 16, "heads": 2, "dropout": 0.0}
KINDS: dict[str, Callable[[int], BackboneConfig]] = {
    "sasrec": lambda layers: SASRecConfig(layers=layers, inner=16, **SMALL),
    "esasrec": lambda layers: ESASRecConfig(layers=layers, **SMALL),
    "hstu": lambda layers: HSTUConfig(layers=layers, head_dim=8, divisor=1, **SMALL),
    "hllm": lambda layers: HLLMConfig(layers=layers, max_tokens=4, **SMALL),
}
every_kind = pytest.mark.parametrize("kind", sorted(KINDS))


def grown(kind: str, layers: int = 2, exact: torch.dtype = torch.float64, **shape: int) -> PerSRec:
    """A model whose weights are so large that what is read matters."""
    if kind == "hllm":
        pytest.importorskip("transformers", reason="transformers is not installed")
    torch.manual_seed(0)
    config = PerSRecConfig(KINDS[kind](layers), **shape)
    net = PerSRec(config, fresh_backbone(config.inner, ground(ITEMS))).to(exact).eval()
    with torch.no_grad():
        net.tokens.normal_()
        for part, weight in net.backbone.named_parameters():
            if weight.dim() == 2 and not part.startswith("item."):
                torch.nn.init.normal_(weight, std=1.5 * weight.shape[1] ** -0.5)
            elif part.endswith(("position", "time")):
                torch.nn.init.normal_(weight, std=0.5)
        net.table()
    return net


def histories(lengths: tuple[int, ...], seed: int = 0) -> Batch:
    """Rows of such lengths with times, padded on the right."""
    rng = np.random.default_rng(seed)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    items = rng.integers(1, ITEMS + 1, offsets[-1]).astype(np.int32)
    times = rng.integers(0, 10**6, offsets[-1]).cumsum()
    return last(Contexts(np.arange(len(lengths)), offsets, items, times), max(lengths) or 1)


@torch.no_grad()
def whole(net: PerSRec, batch: Batch) -> tuple[Tensor, Tensor]:
    """(B, R', D) states of the recent columns in one pass over everything, and which are real."""
    recent = batch.valid.sum(1).clamp(max=net.layout.recent)
    laid = laid_out(batch, net.layout, recent)
    columns = columns_of(laid) >= net.layout.length - net.layout.recent
    return net.states(laid)[:, columns], laid.valid[:, columns]


@torch.no_grad()
def cached(net: PerSRec, batch: Batch, memory: Memory | None = None) -> Tensor:
    old, recent = split_rows(batch, net.layout.recent)
    return net.predict(recent, net.compress(old) if memory is None else memory)


def error(one: Tensor, other: Tensor, real: Tensor) -> float:
    return float(((one - other).abs().amax(2) * real).max() / one[real].abs().max().clamp(min=1))


@every_kind
@pytest.mark.parametrize("shape", [(40, 10, 4, 1), (0, 10, 1, 1), (1, 1, 1, 1), (12, 5, 4, 2)])
def test_the_cached_answer_is_the_uncached_one(kind: str, shape: tuple[int, ...]) -> None:
    old, recent, tokens, parts = shape
    net = grown(kind, old=old, recent=recent, tokens=tokens, parts=parts)
    batch = histories((old + recent, recent, max(1, recent // 2), recent + old // 2))
    want, real = whole(net, batch)
    assert error(want, cached(net, batch), real) < 1e-10
    if old > 1:  # somebody else's memory answers otherwise
        mine = net.compress(split_rows(batch, recent)[0])
        theirs = mine.rows(torch.tensor([3, 1, 2, 0]))
        assert error(want, cached(net, batch, theirs), real) > 1e-2
