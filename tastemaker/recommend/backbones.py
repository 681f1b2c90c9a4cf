"""The one table of neural models: name, module and configuration."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from tastemaker.data.catalog import Catalog
from tastemaker.errors import BadInput
from tastemaker.models.identity import model_identity
from tastemaker.models.packaged import locate
from tastemaker.nn.next_item import NextItemConfig, NextItemModel
from tastemaker.recommend.esasrec import ESASRec, ESASRecConfig
from tastemaker.recommend.hllm import HLLM, HLLMConfig, Kept
from tastemaker.recommend.hstu import HSTU, HSTUConfig
from tastemaker.recommend.sasrec import SASRec, SASRecConfig

NEURAL: dict[str, tuple[Callable[..., NextItemModel], type[NextItemConfig]]] = {
    "sasrec": (SASRec, SASRecConfig),
    "esasrec": (ESASRec, ESASRecConfig),
    "hstu": (HSTU, HSTUConfig),
    "hllm": (HLLM, HLLMConfig),
}
"""Neural model → its module and configuration."""


def build(
    config: NextItemConfig, num_items: int, catalog: Catalog, kept: Kept | None = None
) -> NextItemModel:
    """A neural model with fresh weights; `catalog` is aligned with the item codes."""
    if isinstance(config, HLLMConfig):
        return HLLM(config, num_items, catalog, kept)
    return NEURAL[name_of(config)][0](config, num_items)


def name_of(config: NextItemConfig) -> str:
    """Name of the model that a configuration shapes.

    Raises:
        BadInput: If it is of none.
    """
    for name, (_, kind) in NEURAL.items():
        if type(config) is kind:
            return name
    known = ", ".join(kind.__name__ for _, kind in NEURAL.values())
    what = f"{type(config).__name__} shapes no model."
    raise BadInput(what, "model options", f"Give one of {known}.")


def kind_of(name: str) -> type[NextItemConfig]:
    """Configuration of the neural model called `name`.

    Raises:
        BadInput: If there is none; names the nearest.
    """
    if name not in NEURAL:
        near = difflib.get_close_matches(name, NEURAL, n=1)
        fix = f"Did you mean {near[0]!r}?" if near else f"Known: {', '.join(NEURAL)}."
        raise BadInput(f"No neural model is called {name!r:.80}.", "model", fix)
    return NEURAL[name][1]


def foreign_models(config: NextItemConfig) -> dict[str, str]:
    """Option → identity of the model on this machine that it names.

    Raises:
        BadInput: If there is no such model.
    """
    if not isinstance(config, HLLMConfig):
        return {}
    named = {"item_model": config.item_model, "user_model": config.user_model}
    return {
        option: model_identity(locate(name)) for option, name in named.items() if name != "random"
    }
