"""What `fit` trains, and what it reads: steps, stages, and what some models have beside."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self, runtime_checkable

from tastemaker.files import JsonObject

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from tastemaker.data.contexts import Contexts, Int64s


class Step(Protocol):
    """What one optimiser step is computed from; `fit` knows no more of it."""

    @property
    def target_count(self) -> int:
        """Targets of the whole step, by which every part of it divides its loss."""

    @property
    def rows(self) -> Int64s | None:
        """Numbers of the training rows, for messages; None: not known."""

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[Self]:
        """What process `rank` of `world` computes, in parts whose losses add up.

        With `small`, in pieces that a CPU's cache holds, where it can be taken apart.
        """

    def to(self, device: torch.device) -> Self:
        """The same on another device."""


class Steps(Protocol):
    """What `fit` reads: numbered epochs of steps that depend on nothing but their number."""

    def __len__(self) -> int:
        """Steps in an epoch."""

    def epoch(self, number: int, skip: int = 0) -> Iterator[Step]:
        """Steps of epoch `number`, from step `skip` on."""


class Trainable(Protocol):
    """What `fit` trains: an `nn.Module` whose call is its loss."""

    def loss(self, batch: Any) -> Tensor:
        """Scalar: sum over the targets of a part of a step / its `target_count`."""

    def batches(self, train: Contexts, rows: int, seed: int) -> Steps:
        """Steps of training events as this model wants them, `rows` full histories in each."""


@runtime_checkable
class Paced(Protocol):
    """A model some of whose parts learn more slowly, such as a pre-trained one."""

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Groups as an optimiser takes them, each with `share`, its part of the learning rate."""


@runtime_checkable
class Starts(Protocol):
    """A model that looks at its data before the first step."""

    def start(self) -> None:
        """Set what is known before training; nothing when called again."""


@dataclass(frozen=True)
class Stage:
    """A part of a training that has parameters, options and a loss of its own."""

    name: str = ""
    """what the journal and the report call it"""
    learns: tuple[str, ...] = ("",)
    """names of parameters, or of modules, that are trained; all others stay bit for bit"""
    options: JsonObject = field(default_factory=dict)
    """training options that differ from those of the run, such as epochs and lr"""
    loss: str = ""
    """which of its losses the model is to give"""
    keeps: Literal["best", "last"] = "best"
    """weights that the stage ends with: the best on validation, or those of its last epoch"""


@runtime_checkable
class Staged(Protocol):
    """A model that is trained in several stages; built or opened, it is as in the last."""

    def stages(self) -> Sequence[Stage]:
        """The stages in their order, each with a name."""

    def enter(self, stage: Stage) -> None:
        """Go over to a stage, whatever was before: its loss, and what it begins with."""
