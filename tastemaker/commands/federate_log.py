"""`tastemaker federate simulate` where the data is a log: a next-item model across its silos."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from tastemaker.commands.federate_options import Fault
from tastemaker.commands.federate_training import (
    FedSSDOptions,
    MethodName,
    RoundOptions,
    check_counts,
    defaults_of,
)
from tastemaker.errors import BadInput
from tastemaker.options import SEEDS

_DEALT = "A log is not dealt to clients: --by names the column of the silos that hold it."
_SERVER = "No rows of a log are labelled; the server has the users of --panel."
FOREIGN = {
    "label": "A log has no classes: what is learned is the next item.",
    "without": "A log has no features to leave out.",
    "side": "A log has no pictures.",
    "clients": _DEALT,
    "alpha": _DEALT,
    "least": _DEALT,
    "test": "The test of a log is the last event of each user.",
    "auxiliary": _SERVER,
    "model": "The model of a log is SASRec.",
    "hidden": "The model of a log is SASRec.",
}
"""Options for classifiers that say nothing of a log, and why."""


@dataclass(frozen=True)
class LogOptions(RoundOptions):
    """Train one next-item model from the histories of many silos, simulated in this process."""

    data: str = ""
    """a data set's name, or a folder with interactions"""
    by: str = ""
    """column of the interactions that says in which silo an event lies"""
    panel: int = 50
    """users who agreed that the server learns from them, with fedssd or --tune-on-auxiliary"""
    lost: float = 0.0
    """share of the replies of each round that are lost"""
    bad: tuple[Fault, ...] = ()
    """what the first clients do wrong, one each, from round 2 on"""
    method: MethodName = "fedavg"
    """what clients minimise"""
    rounds: int = 20
    """rounds of sending, training and averaging"""
    epochs: int = 1
    """passes of a client over its own data in a round"""
    batch: int = 8
    """histories in a step"""
    optimizer: Literal["sgd", "adam"] = "adam"
    """of clients; scaffold takes sgd alone"""
    lr: float = 5e-3
    """its learning rate"""
    momentum: float = 0.0
    """of SGD, begun anew in every round; scaffold takes 0 alone"""
    weight_decay: float = 0.0
    """of the optimizer"""
    fedssd: FedSSDOptions = field(
        default_factory=lambda: FedSSDOptions(m_max=3.0, threshold=0.0, centred=True)
    )

    def __post_init__(self) -> None:
        """Refuse what no federation can be made of, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        self.check_rounds()
        check_counts(self, panel=SEEDS)
        if not self.by:
            fix = "Name the column of its interactions that says in which silo an event lies."
            raise BadInput(_DEALT, "--by", fix)
        plain = defaults_of(self)["panel"]
        if self.panel != plain and self.method != "fedssd" and not self.tune_on_auxiliary:
            what = f"With {self.method} the server learns from nobody."
            fix = "Leave it out, or give --method fedssd or --tune-on-auxiliary."
            raise BadInput(what, "--panel", fix)


def named(words: Sequence[str]) -> str:
    """What stands after `--data`; empty: nothing does."""
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if name == "--data":
            return value or "".join(words[place + 1 : place + 2])
    return ""


def names_log(data: str) -> bool:
    """Whether data are a log that has a name here, or a folder with interactions."""
    from tastemaker.data.datasets import place_of
    from tastemaker.data.folders import holds_log

    try:
        path = place_of(data)
    except BadInput:  # what reads a table says it better
        return False
    return path.is_dir() and holds_log(path)


def refuse_foreign(words: Sequence[str]) -> None:
    """Refuse options that say nothing of a log.

    Raises:
        BadInput: Naming the first of them.
    """
    for word in words:
        name = word.partition("=")[0]
        if why := name.startswith("--") and FOREIGN.get(name[2:]):
            raise BadInput(why, name, f"Leave {name} out.")
