"""What the commands can be asked: torch-free, so that help answers at once.

A run's options are stored in its `config.json`; each verb of the command line is one of these
classes and one call.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Protocol, runtime_checkable

import tyro

from tastemaker.errors import BadInput

MODELS = {
    "sasrec": "SASRec",
    "esasrec": "eSASRec",
    "hstu": "HSTU",
    "hllm": "HLLM",
    "priors": "human priors",
    "persrec": "PerSRec",
    "mtmh": "MTMH-style",
    "vrec": "VRec",
}
"""Neural models by name, with their titles; `recommend/backbones.py` says what each is made of."""
if TYPE_CHECKING:
    Model = str
else:
    Model = Literal[tuple(MODELS)]
Positional = Annotated[str, tyro.conf.Positional]
Repeatable = Annotated[tuple[str, ...], tyro.conf.UseAppendAction]
Count = Annotated[int, tyro.conf.arg(aliases=("-k",))]


@runtime_checkable
class Frame(Protocol):
    """A table in memory: of Polars, pandas, Arrow, or whatever speaks Arrow's stream interface."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """The rows, as a capsule."""


@runtime_checkable
class Lazy(Protocol):
    """A query of Polars, which is a table once it is collected."""

    def collect_schema(self) -> object:
        """Columns and their types."""


if TYPE_CHECKING:
    Data = str | Path | Frame | Lazy
else:
    Data = str  # what the command line can say

FRAME = "frame"
"""What a table in memory is called where a name is needed."""
HEADLINE = "ndcg@10"
"""Metric that models are chosen, ordered and compared by."""
SEEDS = 2**32
"""Seeds are below this, so that every generator takes them."""


@dataclass(frozen=True)
class RunOptions:
    """Check the data, train, evaluate, and write a report; in Python `data` may be a table."""

    data: Data = "movielens-small"
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

    def __post_init__(self) -> None:
        """Refuse what no run can be made of, before any data is read.

        Raises:
            BadInput: Naming the option.
        """
        check_data(self.data)
        check_run(self.out, self.split, self.seed)

    @property
    def data_name(self) -> str:
        """How folders and `config.json` call the data."""
        return str(self.data) if isinstance(self.data, str | Path) else FRAME


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
    data: Data = "movielens-small"
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

    def __post_init__(self) -> None:
        """Refuse what no search can be made of, before any data is read.

        Raises:
            BadInput: Naming the option.
        """
        check_data(self.data)
        check_run(self.out, self.split, self.seed)
        for name, value, most in (("trials", self.trials, 10_000), ("epochs", self.epochs, SEEDS)):
            if isinstance(value, bool) or not 1 <= value <= most:
                fix = f"Give a whole number from 1 to {most:,}."
                raise BadInput(f"{name} = {value!r} cannot be searched.", f"--{name}", fix)

    def run(self) -> RunOptions:
        """The same options as a run has them."""
        kept = (self.data, self.model, self.out, self.split, self.seed, self.repeats)
        return RunOptions(*kept, resume=self.resume)


@dataclass(frozen=True)
class UpdateOptions:
    """How a run learns what happened since, and when the new one is published."""

    epochs: int = 0
    """most epochs; 0: as many as the run was made with. Training stops early, as in every run"""
    margin: float = 0.05
    """part of the old run's NDCG@10 that the new one may lose on average"""
    items: str = ""
    """file with what is known about items by now; empty: the run's own catalogue"""
    accept: bool = False
    """publish whatever the comparison says, also where nothing can be compared"""
    dry_run: bool = False
    """say what there is to learn, and train nothing"""

    def __post_init__(self) -> None:
        """Refuse what cannot be meant.

        Raises:
            BadInput: Naming the option.
        """
        if self.accept and self.dry_run:
            what = "To publish whatever is said, and to train nothing, contradict each other."
            raise BadInput(what, "--accept, --dry-run", "Leave one of them out.")
        if isinstance(self.epochs, bool) or not 0 <= self.epochs < SEEDS:
            fix = "Give a whole number from 1 up, or leave it out."
            raise BadInput(f"epochs = {self.epochs!r} cannot train.", "--epochs", fix)
        if not 0 <= self.margin <= 1:
            fix = "Give a number from 0 to 1, such as 0.05."
            raise BadInput(f"margin = {self.margin!r} is no part.", "--margin", fix)


def check_data(data: object) -> None:
    """Refuse what is neither a name, a path nor a table.

    Raises:
        BadInput: With what may be given.
    """
    if isinstance(data, str | Path | Frame | Lazy):
        return
    fix = (
        "Give the name of a data set (`tastemaker data list`), the path of a folder or a file, or "
        "a table of Polars, pandas or Arrow."
    )
    raise BadInput(f"{data!r:.80} ({type(data).__name__}) is no data.", "data", fix)


def check_run(out: str, split: str, seed: int) -> None:
    """Refuse an unusable folder, split or seed.

    Raises:
        BadInput: Naming the option.
    """
    if isinstance(seed, bool) or not 0 <= seed < SEEDS:
        fix = f"Give a whole number from 0 to {SEEDS - 1:,}."
        raise BadInput(f"seed = {seed!r} is no seed.", "--seed", fix)
    if split.startswith("last-") and not re.fullmatch("last-[1-9][0-9]{0,8}", split):
        fix = "Write last-10 for ten events, or another number."
        raise BadInput(f"{split!r} is no split.", "--split", fix)
    if out and ("\0" in out or Path(out).name in ("", "..")):
        fix = "Name a folder of its own, such as runs/mine."
        raise BadInput(f"{out!r} is no folder that a run can be written to.", "--out", fix)
