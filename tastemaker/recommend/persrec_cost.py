"""What a request costs with a compressed history, in multiply-adds, and what it needs of memory.

One layer costs c_lin·n·D² + c_att·pairs·D, where n columns are computed and `pairs` of them read
each other (spec PerSRec §3.6). Scoring the catalogue, I·D, is the same for all and left out.

    full        n = L,      pairs = L(L+1)/2
    cached      n = R,      pairs = R·k + R(R+1)/2
    compression n = P + k,  pairs = (P+k)(P+k+1)/2, once a refresh
    amortised   cached + compression/q over q requests a refresh
    break-even  q* = compression / (full − cached)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from tastemaker.recommend.esasrec import ESASRecConfig
from tastemaker.recommend.hllm_shape import HLLMConfig
from tastemaker.recommend.hstu import HSTUConfig
from tastemaker.recommend.persrec_shape import PerSRecConfig
from tastemaker.recommend.sasrec import SASRecConfig


@dataclass(frozen=True)
class Cost:
    """A user answered each way: multiply-adds of all layers, or a time that was measured."""

    full: float
    """all P + R events in one pass"""
    cached: float
    """R events that read k tokens"""
    compression: float
    """P events into k tokens"""

    def amortised(self, requests: float) -> float:
        """A request, where `requests` of them share a compression."""
        return self.cached + self.compression / requests

    @property
    def break_even(self) -> float:
        """Requests a refresh from which compressing pays; infinite where it never does."""
        saved = self.full - self.cached
        return self.compression / saved if saved > 0 else math.inf


def cost_of(config: PerSRecConfig) -> Cost:
    """The cost of each way to answer a user with a whole history."""
    old, recent, tokens = config.old, config.recent, config.tokens
    backbone = config.backbone
    linear, wide = _per_column(config), _attended(config)

    def layers(columns: int, pairs: float) -> float:
        return backbone.layers * (linear * columns + 2 * wide * pairs)

    each, parts = old // config.parts, config.parts
    compressed = sum(
        _causal(each + tokens // parts) + (each + tokens // parts) * part * (tokens // parts)
        for part in range(parts)
    )
    length = old + recent
    return Cost(
        layers(length, _causal(length)),
        layers(recent, recent * tokens + _causal(recent)),
        layers(old + tokens, compressed),
    )


def numbers_kept(config: PerSRecConfig) -> int:
    """Of each user: (n_l − 1)·2·k·D, and D for a request without recent events."""
    backbone = config.backbone
    return (backbone.layers - 1) * 2 * config.tokens * _attended(config) + config.dim


def numbers_raw(config: PerSRecConfig) -> int:
    """Keys and values of the old events themselves: n_l·2·P·D."""
    return config.backbone.layers * 2 * config.old * _attended(config)


def _causal(columns: int) -> float:
    """Pairs of columns of which neither reads what comes later."""
    return columns * (columns + 1) / 2


def _attended(config: PerSRecConfig) -> int:
    """Width of a column's keys, and of its values, over all heads."""
    backbone = config.backbone
    if isinstance(backbone, HSTUConfig):
        return backbone.heads * backbone.head_dim
    return backbone.dim


def _per_column(config: PerSRecConfig) -> float:
    """Multiply-adds of the matrices of one layer for one column."""
    backbone, dim = config.backbone, config.dim
    if isinstance(backbone, HSTUConfig):
        return 5 * dim * _attended(config)
    if isinstance(backbone, SASRecConfig):
        return 4 * dim**2 + 2 * dim * backbone.inner
    if isinstance(backbone, ESASRecConfig):
        return 4 * dim**2 + 2 * dim**2 + 12 * dim**2
    assert isinstance(backbone, HLLMConfig)
    return 4 * dim**2 + 12 * dim**2
