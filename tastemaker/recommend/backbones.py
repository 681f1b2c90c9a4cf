"""The one table of neural models: name, module and configuration."""

from __future__ import annotations

from collections.abc import Callable

from tastemaker.data.catalog import Catalog
from tastemaker.nn.next_item import NextItemConfig, NextItemModel
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig
from tastemaker.recommend.hllm import HLLM, HLLMConfig
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig

NEURAL: dict[str, tuple[Callable[..., NextItemModel], type[NextItemConfig]]] = {
    "sasrec": (SASRec, SASRecConfig),
    "esasrec": (ESASRec, ESASRecConfig),
    "hstu": (HSTU, HSTUConfig),
    "hllm": (HLLM, HLLMConfig),
}
"""Neural model → its module and configuration."""


def build(config: NextItemConfig, num_items: int, catalog: Catalog) -> NextItemModel:
    """A neural model with fresh weights; `catalog` is aligned with the item codes."""
    if isinstance(config, HLLMConfig):
        return HLLM(config, num_items, catalog)
    return NEURAL[name_of(config)][0](config, num_items)


def name_of(config: NextItemConfig) -> str:
    """Name of the model that a configuration shapes."""
    return next(name for name, (_, kind) in NEURAL.items() if type(config) is kind)
