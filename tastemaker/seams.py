"""The seams: what a model, a step of training or an encoder offers to the rest. No implementation.

Each protocol stands here from the day it has a user, and everything at that seam is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, Self, runtime_checkable

from tastemaker.files import JsonObject

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import torch
    from torch import Tensor

    from tastemaker.data.batches import Batch
    from tastemaker.data.contexts import Contexts, Int64s
    from tastemaker.data.ground import Ground
    from tastemaker.data.replies import Conversations, Reply


class Recommender(Protocol):
    """Anything that can score the catalogue for some users."""

    def score(self, contexts: Contexts) -> Tensor:
        """(B, I) scores; column j is item code j + 1, and −inf is never recommended.

        The tensor is the caller's to overwrite: no view of fitted tables.
        """


class Encoder(Recommender, Protocol):
    """A recommender whose score is a dot product, so that an index can search it."""

    def encode(self, batch: Batch) -> Tensor:
        """(B, D) state at the last real position; zero for an empty history."""

    def item_vectors(self) -> Tensor:
        """(I, D) vectors whose dot product with `encode` is the score."""


class Counting(Recommender, Protocol):
    """A recommender that is fitted by counting."""

    KNOBS: ClassVar[dict[str, tuple[float, ...]]]
    """What can be set: values worth trying, the default first."""

    @classmethod
    def fit(cls, contexts: Contexts, num_items: int, **set_to: float) -> Self:
        """Count the training events, one row a user; `set_to` names knobs."""

    def tensors(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """What to save."""

    @classmethod
    def from_tensors(cls, saved: Any) -> Self:
        """The model as it was saved, its parts checked."""


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


class Shape(Protocol):
    """The options of a model: a frozen dataclass of JSON values."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def dim(self) -> int:
        """Width of most of its matrices, by which threads pay or not."""

    @property
    def history(self) -> int:
        """Newest events of a user that are read."""

    def suited(self, num_items: int, times: bool = True) -> Self:
        """The same for a catalogue of I items and a log with times or in order alone."""

    def foreign(self) -> dict[str, str]:
        """Option → the model on this machine that it names."""


class Learned(Recommender, Trainable, Protocol):
    """A trained model of a run, an `nn.Module`: all that a run knows of it, whatever it is."""

    @property
    def config(self) -> Shape:
        """Its options."""

    @classmethod
    def build(cls, config: Any, ground: Ground) -> Self:
        """The model that its own options shape, with fresh weights."""

    @classmethod
    def open(cls, config: Any, ground: Ground, run: Path) -> Self:
        """The model as `save` wrote it; nothing is allocated that the files do not hold."""

    def save(self, run: Path) -> None:
        """Write its weights and whatever else opening it needs."""

    def train(self, mode: bool = True) -> Self:
        """Ready to learn or, with False, to score."""


@dataclass(frozen=True, eq=False)
class Steering:
    """Which heads of a model may speak for a user, and which are favoured."""

    active: Tensor
    """(H,) bool"""
    boosts: Tensor | None = None
    """(H,) added to what a head gives its items, in shares of the range of a user's scores"""


@dataclass(frozen=True, eq=False)
class HeadFacts:
    """What each head learned from, and what it may answer with."""

    items: Tensor
    """(H,) int64 items it knows"""
    targets: Tensor
    """(H,) int64 training targets it learned from, in an epoch"""
    weights: Tensor
    """(H,) share of the loss; they sum to 1"""
    parameters: int
    """of the heads and what chooses between them, without the model that they stand on"""
    other: Mapping[str, tuple[int, int, str]] = field(default_factory=dict)
    """axis → its members in no group but `other`, of how many, and what they are; if any are"""


@runtime_checkable
class Headed(Recommender, Protocol):
    """A model whose heads have names that people know."""

    @property
    def head_names(self) -> tuple[str, ...]:
        """(H,) what each head is called, such as `short-term · Sci-Fi`."""

    @property
    def intents(self) -> Mapping[str, tuple[str, ...]]:
        """Axis → names of its groups, by which heads can be asked for."""

    def heads_of(self, axis: str, group: int) -> Tensor:
        """(H,) bool heads of one group of an axis."""

    def head_facts(self, train: Contexts) -> HeadFacts:
        """What heads learned of training events, one row a user, and what they know."""

    def spoken(
        self, contexts: Contexts, steering: Steering | None = None, span: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(B, I) scores as steered, and (B, I) int64 head that speaks for each item; −1: none.

        `span` (B,) is by how much scores differ that the steering's boosts are shares of.
        """


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


class Encode(Protocol):
    """Turns content into vectors; equal identities give equal vectors."""

    @property
    def identity(self) -> str:
        """Hex sha256 that names the weights and every option that changes a vector."""

    @property
    def dim(self) -> int:
        """D, the length of a vector."""

    def __call__(self, inputs: Sequence[Any]) -> npt.NDArray[np.float32]:
        """Vectors of N inputs, in their order: (N, D), finite."""


class Generate(Protocol):
    """A language model that answers; equal identities and arguments stand for equal replies."""

    identity: str

    def __call__(
        self, conversations: Conversations, n: int, temperature: float, max_tokens: int, seed: int
    ) -> list[list[Reply]]:
        """`n` replies to each conversation; one that failed says why, and fails no other."""


class Index(Protocol):
    """Vectors by number, searched by inner product; implementations may be approximate."""

    @property
    def dim(self) -> int:
        """D, the length of a vector."""

    def __len__(self) -> int:
        """Vectors that can be found, N."""

    def add(self, ids: Int64s, vectors: npt.NDArray[np.float32]) -> None:
        """Take in (n, D) finite vectors under (n,) ids from 0 on, all new; else BadInput."""

    def remove(self, ids: Int64s) -> None:
        """Let go of vectors; BadInput if an id is not there, or given twice."""

    def search(
        self, queries: npt.NDArray[np.float32], k: int, allow: Int64s | None = None
    ) -> tuple[Int64s, npt.NDArray[np.float32]]:
        """(Q, k) ids and inner products, the largest first, equal ones by the lower id.

        Of all vectors, or those that `allow` names; one that approximates may miss some, but its
        scores are exact. With fewer than k, a row of (Q, D) finite queries ends in id -1 and −inf.
        """

    def save(self, folder: Path) -> None:
        """Write it as an artefact at `folder`, which must not exist."""

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Read what `save` wrote, to equal answers; ArtefactError if it is damaged."""
