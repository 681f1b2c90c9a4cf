"""A small labelled table and a federation of it that takes a moment."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from tastemaker.data.labelled import Labelled, read_table
from tastemaker.federate.classifiers import Mlp
from tastemaker.federate.client import LocalConfig
from tastemaker.federate.rounds import FederationConfig
from tastemaker.run.federate_parts import PartitionConfig
from tastemaker.run.federate_results import FederateConfig


def frame(rows: int = 120, classes: int = 3) -> pl.DataFrame:
    """Classes that two numbers and a category tell apart, in three towns."""
    rng = np.random.default_rng(0)
    labels = np.arange(rows) % classes
    return pl.DataFrame(
        {
            "x": labels * 1000.0 + rng.normal(0, 100, rows),
            "z": rng.normal(5, 1e-3, rows),
            "colour": [("red", "green", "blue")[n % 3] for n in rng.integers(0, 3, rows)],
            "town": [("north", "south", "east")[n % 3] for n in rng.integers(0, 3, rows)],
            "kind": [f"k{label}" for label in labels],
        }
    )


def labelled(by: str = "") -> Labelled:
    return read_table(frame(), "kind", by, [] if by else ["town"])


def config(rounds: int = 2, **given: Any) -> FederateConfig:
    local = given.pop("local", LocalConfig(epochs=2, batch=8))
    partition = PartitionConfig(clients=3, alpha=1.0, least=5, auxiliary=5)
    federation = FederationConfig(rounds=rounds, local=local, **given.pop("federation", {}))
    return FederateConfig(
        **{"model": Mlp((8,)), "federation": federation, "partition": partition, **given}
    )
