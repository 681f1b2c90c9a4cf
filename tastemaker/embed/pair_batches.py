"""Pictures with their texts → steps of training: what is told of them, and their vectors.

Both losses of a step are of the same pictures. Every pair is drawn once a round, in an order that
depends on (seed, round) alone, and every step is full: how many others a pair is told from decides
the loss.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tastemaker.counts import counted
from tastemaker.data.contexts import Int64s
from tastemaker.errors import BadInput
from tastemaker.models.pictures import square
from tastemaker.models.vlm import Asked, Picture, Rows, VisionModel
from tastemaker.models.vlm_embedding import Embedding, picture_asked, text_asked


@dataclass(frozen=True, eq=False)
class Pair:
    """A picture and what belongs to it."""

    picture: Picture | Path
    text: str
    """what the vector of the other side is made of"""
    turns: tuple[tuple[str, str], ...] = ()
    """what is asked of the picture, and the answer that is learnt; the first is asked every time"""
    negatives: tuple[str, ...] = ()
    """texts that are wrong of this picture"""
    content: str = ""
    """names the picture where several pairs have it; empty: no other has"""


@dataclass(frozen=True, eq=False)
class JointStep:
    """What one step learns from; a seam `Step`. In a part of it the whole step's numbers stand."""

    told: Rows | None
    """pictures, what is asked of them, and answers"""
    shared: bool
    """whether the pictures of `told` are those of `pictures`, in the same order"""
    pictures: Rows | None
    """(n) pictures with their prompt"""
    texts: Rows | None
    """(n) texts with theirs"""
    hard: Rows | None
    """wrong texts, of one picture after another"""
    hard_counts: Tensor
    """(n,) wrong texts of each picture"""
    hard_most: int
    """H, most wrong texts of a picture of the whole step"""
    same: Tensor
    """(B, B) bool, pairs of the whole step that share a picture or a text"""
    counts: tuple[int, ...]
    """pairs of each process"""
    rank: int
    """which process this part is for"""
    answer_tokens: int
    """tokens of answers in the whole step"""
    rows: Int64s
    """(n,) numbers of the pairs"""

    @property
    def target_count(self) -> int:
        """B, pairs of the whole step."""
        return sum(self.counts)

    def parts(self, rank: int = 0, world: int = 1, small: bool = False) -> Sequence[JointStep]:
        """What process `rank` of `world` computes: pairs that follow each other.

        Args:
            rank: Number of the process.
            world: Number of processes.
            small: Makes no difference: a pair is told from all others; `gradcache_chunk` is the
                option that bounds memory.

        Raises:
            BadInput: If there are fewer pairs than processes.
        """
        if world == 1:
            return [self]
        if self.target_count < world:
            what = f"A step of {counted(self.target_count, 'pair')} has none for every process."
            raise BadInput(what, "--batch", f"Give {world} or more.")
        bounds = np.linspace(0, self.target_count, world + 1).astype(int)
        sizes = tuple(int(size) for size in np.diff(bounds))
        mine = slice(int(bounds[rank]), int(bounds[rank + 1]))
        hard = np.concatenate([[0], np.cumsum(self.hard_counts.numpy())])
        told = _share(self.told, rank, world)
        part = replace(
            self,
            told=told,
            pictures=_rows(self.pictures, mine.start, mine.stop),
            texts=_rows(self.texts, mine.start, mine.stop),
            hard=_rows(self.hard, int(hard[mine.start]), int(hard[mine.stop])),
            hard_counts=self.hard_counts[mine],
            counts=sizes,
            rank=rank,
            rows=self.rows[mine],
        )
        return [part]

    def to(self, device: torch.device) -> JointStep:
        """The same on another device."""
        names = ("told", "pictures", "texts", "hard")
        rows = {name: part.to(device) for name in names if (part := vars(self)[name]) is not None}
        tensors = {name: vars(self)[name].to(device) for name in ("hard_counts", "same")}
        return replace(self, **rows, **tensors)


def _share(told: Rows | None, rank: int, world: int) -> Rows | None:
    """One process's part of what is told; there may be more of it than pairs."""
    if told is None:
        return None
    bounds = np.linspace(0, len(told), world + 1).astype(int)
    return _rows(told, int(bounds[rank]), int(bounds[rank + 1]))


def _rows(rows: Rows | None, start: int, stop: int) -> Rows | None:
    return None if rows is None or start == stop else rows.take(start, stop)


@dataclass(frozen=True, eq=False)
class PairBatches:
    """Epochs of `JointStep`; the seam `Steps`."""

    vision: VisionModel
    embedding: Embedding
    pairs: Sequence[Pair]
    batch: int = 16
    """B, pairs in a step"""
    turns: int = 1
    """most turns of a pair in a step: its first, and others by chance"""
    seed: int = 0
    vectors: bool = True
    """whether steps have what vectors are made of"""
    told: bool = True
    """whether they have what is told of pictures"""

    def __post_init__(self) -> None:
        """Refuse what makes no step."""
        if not self.pairs:
            raise BadInput("There is no picture with a text.", "pairs", "Give two or more.")
        if self.batch < 1 or self.turns < 1:
            fix = "Give whole numbers from 1 on."
            raise BadInput("A step has one pair and one turn or more.", "--batch", fix)
        if self.told and not any(pair.turns for pair in self.pairs):
            fix = "Give turns, or learn vectors alone: --alpha-lm 0."
            raise BadInput("Nothing is told of any picture.", "pairs", fix)

    @property
    def size(self) -> int:
        """Pairs in each step."""
        return min(self.batch, len(self.pairs))

    def __len__(self) -> int:
        """Steps in an epoch; what is left over after them is drawn in another order next time."""
        return len(self.pairs) // self.size

    def epoch(self, number: int, skip: int = 0) -> Iterator[JointStep]:
        """Steps of epoch `number`, from step `skip` on."""
        order = np.random.default_rng([self.seed, number]).permutation(len(self.pairs))
        for place in range(skip, len(self)):
            drawn = order[place * self.size : (place + 1) * self.size]
            yield self.step(drawn, np.random.default_rng([self.seed, number, place, 1]))

    def step(self, drawn: Int64s, rng: np.random.Generator) -> JointStep:
        """The step of some pairs by number.

        Raises:
            BadInput: If a picture cannot be read, or a row is longer than the model reads.
        """
        some = [self.pairs[number] for number in drawn]
        told = self._told(some, rng) if self.told else None
        pictures = texts = hard = None
        wrong = [text for pair in some for text in pair.negatives]
        if self.vectors:
            asked = [picture_asked(self._picture(pair), self.embedding) for pair in some]
            pictures = self.vision.rows(asked)
            texts = self._texts([pair.text for pair in some])
            hard = self._texts(wrong) if wrong else None
        return JointStep(
            told,
            self.vectors and told is not None and self._once(some),
            pictures,
            texts,
            hard,
            torch.tensor([len(pair.negatives) for pair in some]),
            max(len(pair.negatives) for pair in some) if self.vectors else 0,
            torch.from_numpy(sharing(some)),
            (len(some),),
            0,
            0 if told is None else int(told.learned.sum()),
            drawn.astype(np.int64),
        )

    def _once(self, some: Sequence[Pair]) -> bool:
        """Whether each of some pairs is asked about once."""
        return all(len(pair.turns) == 1 or (pair.turns and self.turns == 1) for pair in some)

    def _told(self, some: Sequence[Pair], rng: np.random.Generator) -> Rows | None:
        asked = []
        for pair in some:
            others = rng.permutation(pair.turns[1:]).tolist()[: self.turns - 1]
            picture = self._picture(pair)
            chosen = [*pair.turns[:1], *others]
            asked += [Asked(text, picture, answer) for text, answer in chosen]
        return self.vision.rows(asked) if asked else None

    def _picture(self, pair: Pair) -> Picture:
        """A pair's picture as an encoder of vectors prepares it."""
        side = self.vision.picture_side
        held = pair.picture
        if isinstance(held, np.ndarray) and held.shape == (side, side, 3):
            return held
        return square(held, side, 0)

    def _texts(self, texts: Sequence[str]) -> Rows:
        return self.vision.rows([text_asked(text, self.embedding) for text in texts])


def sharing(pairs: Sequence[Pair]) -> npt.NDArray[np.bool_]:
    """(B, B) bool, pairs that have the same text or the same picture."""
    texts = np.array([pair.text for pair in pairs])
    named = np.array([pair.content for pair in pairs])
    same: npt.NDArray[np.bool_] = texts[:, None] == texts[None]
    same |= (named[:, None] == named[None]) & (named != "")[:, None]
    return same
