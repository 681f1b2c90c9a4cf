"""What `tastemaker federate` can be asked."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Literal

from tastemaker.errors import BadInput
from tastemaker.options import SEEDS, Positional, Repeatable, check_run

MethodName = Literal["fedssd", "fedavg", "fedprox", "fedntd", "fedgkd", "moon", "scaffold"]
Fault = Literal[
    "nan", "infinity", "missing-key", "extra-key", "wrong-shape", "wrong-dtype",
    "negative-examples", "no-examples", "many-examples", "duplicate", "stale", "oversized",
    "scaled", "reversed", "greedy", "late", "lost",
]  # fmt: skip


@dataclass(frozen=True)
class FedSSDOptions:
    """How strongly the global model is distilled, and where."""

    m_max: float = 1.0
    """strength; a large one needs a smaller learning rate, 0 is FedAvg"""
    threshold: float = 0.1
    """credibility below which nothing is distilled"""
    selects: Literal["both", "class", "sample", "none"] = "both"
    """what credibility is made of: of the class and the sample, of one, or the same everywhere"""
    inside: bool = False
    """multiply by m-max before the threshold is taken off"""
    centred: bool = False
    """compare logits less their mean over the classes"""


@dataclass(frozen=True)
class FedProxOptions:
    """Stay near the global weights."""

    mu: float = 0.01
    """strength of the pull"""


@dataclass(frozen=True)
class FedNTDOptions:
    """Keep what the global model says of the classes that are not the true one."""

    beta: float = 1.0
    """strength"""
    temperature: float = 1.0
    """of the softmax"""


@dataclass(frozen=True)
class FedGKDOptions:
    """Keep what the global model says of all classes."""

    gamma: float = 0.2
    """strength"""


@dataclass(frozen=True)
class MoonOptions:
    """Keep features near those of the global model, and away from the last own ones."""

    mu: float = 1.0
    """strength"""
    temperature: float = 0.5
    """of the softmax"""


@dataclass(frozen=True)
class GateOptions:
    """What a reply must be, and how many there must be."""

    size: int = 0
    """most bytes of a reply; 0: four times the model's, and 64 KiB"""
    share: float = 0.5
    """of the clients asked in a round that must be accepted, or the round fails"""
    minimum: int = 1
    """clients that must be accepted whatever the share"""
    updates: float = 3.0
    """most an update's norm may be, in median norms of the round, or it is shortened; 0: any"""


@dataclass(frozen=True)
class SimulateOptions:
    """Train one classifier from the data of many clients, simulated in this process."""

    data: str = ""
    """a table (.csv, .parquet, .arrow, .jsonl, …), or a folder with a folder of pictures a class"""
    label: str = ""
    """column of the class; every other column is a feature"""
    by: str = ""
    """column that says in which silo a row lies; empty: rows are dealt to --clients"""
    without: Repeatable = ()
    """a column to leave out, such as an id; may be given several times"""
    side: int = 28
    """pixels of the square that the middle of each picture is scaled to"""
    clients: int = 10
    """clients that examples are dealt to, where --by names no silos"""
    alpha: float = 0.1
    """of the Dirichlet shares of each class; the smaller, the fewer classes a client holds"""
    least: int = 10
    """examples that each client is dealt"""
    test: float = 0.2
    """share of each class that is held out to measure by"""
    auxiliary: int = 10
    """labelled examples of each class that the server holds"""
    method: MethodName = "fedssd"
    """what clients minimise"""
    model: Literal["auto", "mlp", "cnn", "logistic"] = "auto"
    """layers, convolutions over pictures, or a linear one; auto: cnn over pictures, else mlp"""
    hidden: tuple[int, ...] = (64, 64, 64)
    """units of the layers of an mlp"""
    rounds: int = 40
    """rounds of sending, training and averaging"""
    share: float = 1.0
    """of the clients, chosen anew for every round"""
    failures: int = 3
    """failed rounds in a row after which it stops"""
    tune_on_auxiliary: bool = False
    """after each round the server takes a pass of plain SGD over its examples"""
    epochs: int = 5
    """passes of a client over its own data in a round"""
    batch: int = 32
    """examples in a step"""
    lr: float = 0.05
    """learning rate of SGD"""
    momentum: float = 0.9
    """of SGD, begun anew in every round; scaffold takes 0 alone"""
    weight_decay: float = 1e-5
    """of SGD"""
    clip: float = 0.0
    """largest norm of a step's gradient; 0: any"""
    lost: float = 0.0
    """share of the replies of each round that are lost"""
    bad: tuple[Fault, ...] = ()
    """what the first clients do wrong, one each, from round 2 on"""
    out: str = ""
    """folder of the run; default: runs/federate-METHOD-DATA"""
    seed: int = 0
    """of who holds what, weights, the order of examples and who takes part"""
    resume: bool = False
    """go on with the unfinished run in --out"""
    fedssd: FedSSDOptions = field(default_factory=FedSSDOptions)
    fedprox: FedProxOptions = field(default_factory=FedProxOptions)
    fedntd: FedNTDOptions = field(default_factory=FedNTDOptions)
    fedgkd: FedGKDOptions = field(default_factory=FedGKDOptions)
    moon: MoonOptions = field(default_factory=MoonOptions)
    gate: GateOptions = field(default_factory=GateOptions)

    def __post_init__(self) -> None:
        """Refuse what no federation can be made of, before anything is read.

        Raises:
            BadInput: Naming the option.
        """
        check_run(self.out, "leave-one-out", self.seed)
        if not self.data:
            fix = "Name a table with a label column, or a folder with a folder of pictures a class."
            raise BadInput("There is no data to learn from.", "--data", fix)
        for name, most in (("clients", 1_000_000), ("side", 4096), ("batch", SEEDS)):
            value = vars(self)[name]
            if isinstance(value, bool) or not 1 <= value <= most:
                fix = f"Give a whole number from 1 to {most:,}."
                raise BadInput(f"{name} = {value!r} cannot be used.", f"--{name}", fix)
        self._refuse_idle()

    def _refuse_idle(self) -> None:
        """Refuse options that would change nothing."""
        plain = {one.name: one.default for one in fields(self)}
        if self.by:
            for name in ("clients", "alpha", "least"):
                if vars(self)[name] != plain[name]:
                    what = f"--{name} deals rows to clients, and --by names the silos they lie in."
                    raise BadInput(what, f"--{name}", "Leave one of them out.")
        if self.hidden != plain["hidden"] and self.model in ("cnn", "logistic"):
            what = f"A {self.model} has no layers of --hidden units."
            raise BadInput(what, "--hidden", "Leave it out, or take --model mlp.")
        for name in ("fedssd", "fedprox", "fedntd", "fedgkd", "moon"):
            group = vars(self)[name]
            if name != self.method and group != type(group)():
                what = f"--{name} options change nothing where the method is {self.method}."
                raise BadInput(what, f"--{name}", f"Leave them out, or take --method {name}.")


@dataclass(frozen=True)
class ReportOptions:
    """Write the page of a finished federation again, and show what it tells."""

    run: Positional
    """folder of the run"""
