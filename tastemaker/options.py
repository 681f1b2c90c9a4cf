"""What the commands can be asked: torch-free, so that help answers at once.

A run's options are stored in its `config.json`; each verb of the command line is one of these
classes and one call.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

Model = Literal["sasrec", "esasrec", "hstu", "hllm"]
Positional = Annotated[str, tyro.conf.Positional]


@dataclass(frozen=True)
class RunOptions:
    """Check the data, train, evaluate, and write a report."""

    data: str = "movielens-small"
    """name of a data set (`tastemaker data list`), a data folder, or a file"""
    model: Model = "sasrec"
    """neural model trained beside the counting ones"""
    out: str = ""
    """run directory to write; default: runs/DATA-MODEL, with a number where it exists"""
    split: str = "leave-one-out"
    """leave-one-out, last-E (E events a user to validate and E to test), global-time, or given"""
    seed: int = 0
    """seed of weights, order, negatives and dropout"""
    repeats: bool = False
    """users may choose an item again: recommend and count items they have already seen"""
    on_bad_rows: Literal["error", "drop"] = "error"
    """refuse data with bad rows, or leave them out, say how many and write them to a file"""
    resume: bool = False
    """go on with the unfinished run in --out"""


@dataclass(frozen=True)
class TuneOptions:
    """Search a model's options on validation; counting models have as many trials."""

    model: Annotated[Model, tyro.conf.Positional]
    """neural model to tune"""
    trials: int = 20
    """random settings tried of every model; the first is the preset or the default itself"""
    preset: str = "default"
    """options that a trial starts from (`tastemaker train MODEL --help` lists them)"""
    epochs: int = 40
    """most epochs of a trial; each stops early"""
    data: str = "movielens-small"
    """name of a data set (`tastemaker data list`), a data folder, or a file"""
    out: str = ""
    """folder to write; default: runs/DATA-MODEL, with a number where it exists"""
    split: str = "leave-one-out"
    """leave-one-out, last-E (E events a user to validate and E to test), global-time, or given"""
    seed: int = 0
    """seed of the search and of every trial"""
    repeats: bool = False
    """users may choose an item again: recommend and count items they have already seen"""
    resume: bool = False
    """go on with the unfinished search in --out"""

    def run(self) -> RunOptions:
        """The same options as a run has them."""
        kept = (self.data, self.model, self.out, self.split, self.seed, self.repeats)
        return RunOptions(*kept, resume=self.resume)
