"""Tastemaker: from what people did, learn what they like, and recommend what comes next."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tastemaker.data.catalog import Catalog
    from tastemaker.data.datasets import load
    from tastemaker.data.groupings import Grouping
    from tastemaker.data.interactions import Interactions
    from tastemaker.errors import TastemakerError
    from tastemaker.metrics.evaluate import evaluate
    from tastemaker.options import RunOptions
    from tastemaker.run.job import run_recommender
    from tastemaker.run.saved import open_run
    from tastemaker.serve.update import update
    from tastemaker.train.loop import fit

__version__ = "0.1.0"

_HOMES = {
    "Catalog": "tastemaker.data.catalog",
    "Grouping": "tastemaker.data.groupings",
    "Interactions": "tastemaker.data.interactions",
    "RunOptions": "tastemaker.options",
    "TastemakerError": "tastemaker.errors",
    "evaluate": "tastemaker.metrics.evaluate",
    "fit": "tastemaker.train.loop",
    "load": "tastemaker.data.datasets",
    "open_run": "tastemaker.run.saved",
    "run_recommender": "tastemaker.run.job",
    "update": "tastemaker.serve.update",
}
"""Public name → module; nothing is imported before it is asked for."""

__all__ = [
    "Catalog",
    "Grouping",
    "Interactions",
    "RunOptions",
    "TastemakerError",
    "evaluate",
    "fit",
    "load",
    "open_run",
    "run_recommender",
    "update",
]


def __getattr__(name: str) -> object:
    """Resolve a public name on first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'tastemaker' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Public names."""
    return sorted(__all__)
