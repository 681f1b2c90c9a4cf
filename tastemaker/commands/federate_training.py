"""How federated clients train, and what is made of their replies, as commands are asked for it."""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal

from tastemaker.errors import BadInput
from tastemaker.options import SEEDS, check_run

MethodName = Literal["fedssd", "fedavg", "fedprox", "fedntd", "fedgkd", "moon", "scaffold"]


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
class PrivacyOptions:
    """Noise that bounds what the models of all rounds tell of any one client."""

    noise: float = 0.0
    """deviation of the noise on the sum of updates, in norms they are brought to; 0: none"""
    clip: float = 1.0
    """norm that each client's update is brought to"""
    delta: float = 1e-5
    """probability that the bound does not hold, well below one over the clients"""


@dataclass(frozen=True)
class RoundOptions:
    """What decides the rounds, whatever is learned and whoever carries the messages."""

    method: MethodName = "fedssd"
    """what clients minimise"""
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
    optimizer: Literal["sgd", "adam"] = "sgd"
    """of clients; scaffold takes sgd alone"""
    lr: float = 0.05
    """its learning rate"""
    momentum: float = 0.9
    """of SGD, begun anew in every round; scaffold takes 0 alone"""
    weight_decay: float = 1e-5
    """of the optimizer"""
    clip: float = 0.0
    """largest norm of a step's gradient; 0: any"""
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
    privacy: PrivacyOptions = field(default_factory=PrivacyOptions)

    def check_rounds(self) -> None:
        """Refuse what cannot be trained, and options that would change nothing.

        Raises:
            BadInput: Naming the option.
        """
        check_run(self.out, "leave-one-out", self.seed)
        check_counts(self, epochs=SEEDS, batch=SEEDS, rounds=SEEDS)
        plain = defaults_of(self)
        if self.optimizer == "adam" and self.momentum != plain["momentum"]:
            what = "Adam has no --momentum to choose."
            raise BadInput(what, "--momentum", "Leave it out, or take --optimizer sgd.")
        if not self.privacy.noise and self.privacy != PrivacyOptions():
            what = "Without noise nothing is private, whatever the other options of --privacy."
            raise BadInput(what, "--privacy.noise", "Give it, such as 1, or leave the others out.")
        for name in ("fedssd", "fedprox", "fedntd", "fedgkd", "moon"):
            if name != self.method and vars(self)[name] != plain[name]:
                what = f"--{name} options change nothing where the method is {self.method}."
                raise BadInput(what, f"--{name}", f"Leave them out, or take --method {name}.")


@dataclass(frozen=True)
class TrainingOptions(RoundOptions):
    """What decides the rounds of a classifier."""

    model: Literal["auto", "mlp", "cnn", "logistic"] = "auto"
    """layers, convolutions over pictures, or a linear one; auto: cnn over pictures, else mlp"""
    hidden: tuple[int, ...] = (64, 64)
    """units of the layers of an mlp"""

    def check_training(self) -> None:
        """Refuse what cannot be trained, and options that would change nothing.

        Raises:
            BadInput: Naming the option.
        """
        self.check_rounds()
        if self.hidden != defaults_of(self)["hidden"] and self.model in ("cnn", "logistic"):
            what = f"A {self.model} has no layers of --hidden units."
            raise BadInput(what, "--hidden", "Leave it out, or take --model mlp.")


def defaults_of(options: object) -> dict[str, Any]:
    """What each option is where it is not given; those that must be given are left out."""
    told: dict[str, Any] = {}
    for one in fields(type(options)):  # type: ignore[arg-type]
        if one.default is not MISSING:
            told[one.name] = one.default
        elif one.default_factory is not MISSING:
            told[one.name] = one.default_factory()
    return told


def check_counts(options: object, **most: int) -> None:
    """Refuse options that are no whole number from 1 to the most there is.

    Raises:
        BadInput: Naming the option.
    """
    for name, limit in most.items():
        value = vars(options)[name]
        if isinstance(value, bool) or not 1 <= value <= limit:
            fix = f"Give a whole number from 1 to {limit:,}."
            raise BadInput(f"{name} = {value!r} cannot be used.", f"--{name}", fix)
