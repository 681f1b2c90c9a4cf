"""What is trained where the data lives: a model, a client's data, and what goes to and fro."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from torch import Tensor

    from tastemaker.seams.training import Steps

    Tensors = Mapping[str, Tensor]
    """Weights by name, on the CPU."""


@dataclass(frozen=True, eq=False)
class Outputs:
    """What a model makes of the targets of a part of a step."""

    logits: Tensor
    """(T, K) of every class"""
    labels: Tensor
    """(T,) int64 true class"""
    features: Tensor
    """(T, H) what the logits are computed from"""
    classes: Tensor | None = None
    """(T, K) int64 class of each logit where only some compete, −1 for none; `labels` are columns
    then, and the model is `Grouped`. None: logit k is of class k"""
    loss: Tensor | None = None
    """the model's own loss of these targets; None: their cross entropy"""


class Federable(Protocol):
    """A model that clients train: an `nn.Module` whose call is its loss, as of `Trainable`."""

    private: frozenset[str]
    """names of parameters and buffers that never leave a client"""
    by_row: frozenset[str]
    """names of tables whose rows are averaged over the clients that saw them"""

    def outputs(self, part: Any) -> Outputs:
        """Logits, labels and features of a part of a step."""


@runtime_checkable
class Grouped(Protocol):
    """A federable model of so many classes that it is credible by groups of them, as of items."""

    groups: Tensor
    """(K,) int64 group of each class, 0 to G − 1; of what all may know"""


class ClientData(Protocol):
    """What a client holds; none of it leaves."""

    @property
    def examples(self) -> int:
        """How many it learns from, n_i."""

    def batches(self, rows: int, seed: int) -> Steps:
        """Epochs of steps of `rows` examples each."""

    def seen(self) -> Tensors:
        """For each table `by_row`, (R,) int64 how often each of its rows was seen; else empty."""


@dataclass(frozen=True, eq=False)
class Broadcast:
    """What the server sends to every participant of a round."""

    round: int
    """1, 2, …"""
    weights: Tensors
    """of the global model, w_t, without what is private"""
    credibility: tuple[float, ...] = ()
    """(K,) of each class, M_class; empty where the method asks for none"""
    control: Tensors = field(default_factory=dict)
    """SCAFFOLD's c; empty with other methods"""


@dataclass(frozen=True, eq=False)
class Reply:
    """What a client sends back."""

    client: str
    round: int
    weights: Tensors
    """after local training, w_i"""
    examples: int
    """it says it learned from, n_i"""
    seen: Tensors = field(default_factory=dict)
    """for each table averaged by row, (R,) int64 how often it saw each row"""
    control: Tensors = field(default_factory=dict)
    """change of SCAFFOLD's c_i"""
    metrics: Mapping[str, float] = field(default_factory=dict)


class Engine(Protocol):
    """Carries a broadcast to participants and brings their replies, some of which may be lost."""

    def round(self, broadcast: Broadcast, participants: Sequence[str]) -> Iterable[Reply]:
        """Replies in the order they arrive."""


@runtime_checkable
class Remembers(Protocol):
    """An engine that keeps what stays at clients between rounds, so a server must keep it too."""

    def remembered(self) -> Tensors:
        """All of it, under names that `recall` understands."""

    def recall(self, tensors: Tensors) -> None:
        """Go on from what was remembered."""
