"""CAFe: a vision-language model learns vectors and captions from the same samples.

Paper: Unifying Representation and Generation with Contrastive-Autoregressive Finetuning,
arXiv 2503.19900.

    z^I = unit(pool(H(picture, prompt))),  z^T = unit(pool(H(text, prompt)))
    L = α_con L_con(z^I, z^T; s) + α_lm L_lm

L_lm is the mean cross-entropy over tokens of answers. A picture goes through the tower once a step.
With α_con = 0 nothing is computed for vectors, and training is plain fine-tuning; with α_lm = 0
nothing is told.

Memory: with `gradcache_chunk` vectors are made a few rows at a time without a graph, and again with
one when their gradient is known (GradCache, arXiv 2101.06983): the same gradient as that of the
whole, while no more than a chunk's activations are held. Torch's checkpoints do just that.

Processes: negatives are those of the whole step; what other processes hold are constants, and the
gradients add up to that of the step. (The reference averages them, and so divides them by the
number of processes.)

Left out: the reference's bidirectional and instruction modes of MMEB; weights of billions of
parameters. Checked: tests/embed/test_cafe.py and recipes/cafe.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from tastemaker.embed.contrastive import Negatives, contrastive_loss
from tastemaker.embed.gathering import counted_once, everyone, one_share
from tastemaker.embed.pair_batches import JointStep
from tastemaker.errors import BadInput
from tastemaker.models.lora import adapt
from tastemaker.models.vlm import Rows, VisionModel
from tastemaker.models.vlm_embedding import Embedding, Reader, Side


@dataclass(frozen=True)
class CAFeConfig:
    """The joint loss, and what learns how fast."""

    alpha_con: float = 1.0
    """weight of the contrastive loss; 0: plain fine-tuning."""
    alpha_lm: float = 1.0
    """weight of the loss of answers; 0: vectors alone."""
    scale: float = 20.0
    """s, by which cosines are multiplied."""
    learnable_scale: bool = False
    """learn s, up to 100."""
    symmetric: bool = True
    """tell texts by pictures as well as pictures by texts."""
    hardness_alpha: float = 0.0
    """α: a negative weighs exp(α cos)."""
    mask_equal: bool = True
    """pairs that share a picture or a text are no negatives of each other."""
    gather: bool = True
    """negatives are those of all processes; else of each alone."""
    gradcache_chunk: int = 0
    """rows that are encoded at a time with their graph; 0: all."""
    lora: int = 0
    """rank of adapters that learn in the model's stead; 0: the model learns."""
    vision_lr: float = 0.5
    """the picture tower's part of the learning rate; 0: it stays as it is."""
    embedding: Embedding = field(default_factory=Embedding)

    def __post_init__(self) -> None:
        """Refuse what cannot be learnt from."""
        for name in ("alpha_con", "alpha_lm", "hardness_alpha", "vision_lr"):
            if not 0 <= vars(self)[name] < math.inf:
                self._refuse(name, "Give 0 or a number above it.")
        if not self.alpha_con and not self.alpha_lm:
            self._refuse("alpha_con", "Give alpha_con or alpha_lm above 0.")
        if not 0 < self.scale <= _MOST:
            self._refuse("scale", f"Give a number above 0, to {_MOST:g}.")
        for name in ("gradcache_chunk", "lora"):
            value = vars(self)[name]
            if not isinstance(value, int) or not 0 <= value <= 2**20:
                self._refuse(name, "Give 0 or a whole number above it.")

    def _refuse(self, name: str, fix: str) -> None:
        raise BadInput(
            f"{name} = {vars(self)[name]} cannot be learnt with.",
            f"--{name.replace('_', '-')}",
            fix,
        )


_MOST = 100.0
"""Largest s."""


class CAFe(nn.Module):
    """A vision-language model that learns both; the seam `Trainable`."""

    def __init__(self, vision: VisionModel, config: CAFeConfig = CAFeConfig()) -> None:
        """Take a model, which is trained in place.

        Args:
            vision: The model.
            config: What it learns.

        Raises:
            BadInput: If adapters cannot be set into it, or are larger than it.
        """
        super().__init__()
        self.config, self.vision = config, vision
        if config.lora > vision.dim:
            fix = f"Give at most {vision.dim:,}, the width of the model; 8 to 64 are usual."
            raise BadInput(f"Adapters of rank {config.lora:,} are larger than it.", "--lora", fix)
        if config.lora:
            adapt(vision.model, config.lora)
        self.reader = Reader(config.embedding, vision.dim)
        self.log_scale = nn.Parameter(
            torch.tensor(math.log(config.scale)), requires_grad=config.learnable_scale
        )
        if not config.vision_lr:
            vision.tower.requires_grad_(False)

    def forward(self, step: JointStep) -> Tensor:
        """The loss of a step, or of a part of it."""
        return self.loss(step)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """The picture tower learns at `vision_lr` of the rate of everything else."""
        tower = {id(parameter) for parameter in self.vision.tower.parameters()}
        learns = [parameter for parameter in self.parameters() if parameter.requires_grad]
        rest = [parameter for parameter in learns if id(parameter) not in tower]
        slow = [parameter for parameter in learns if id(parameter) in tower]
        groups = [{"params": rest, "share": 1.0}]
        return [*groups, {"params": slow, "share": self.config.vision_lr}] if slow else groups

    def loss(self, step: JointStep) -> Tensor:
        """Scalar: a process's share of α_con L_con + α_lm L_lm of the whole step."""
        parts = self.losses(step)
        return self.config.alpha_con * parts["con"] + self.config.alpha_lm * parts["lm"]

    def losses(self, step: JointStep) -> dict[str, Tensor]:
        """`con` and `lm`, each a process's share; what has no weight is 0 and not computed."""
        zero, config = self.log_scale.new_zeros(()), self.config
        both = bool(config.alpha_con and config.alpha_lm and not config.gradcache_chunk)
        pictures = step.pictures if both and step.shared else None
        features = None if pictures is None else self.vision.features(pictures)
        con = self._contrastive(step, features) if config.alpha_con else zero
        lm = self._told(step, features) if config.alpha_lm else zero
        return {"con": con, "lm": lm}

    def vectors(self, rows: Rows, side: Side, features: Any | None = None) -> Tensor:
        """(B, d) unit vectors of rows of pictures or of texts, in float32.

        Args:
            rows: Rows with the prompt of their side.
            side: `picture` or `text`.
            features: Of their pictures, where they were made before.
        """

        def of(some: Rows) -> Tensor:
            vectors: Tensor = self.reader(self.vision.states(some, features), some.mask, side)
            return vectors

        return torch.cat(self._pieces(rows, of))

    def _pieces(self, rows: Rows, of: Callable[[Rows], Tensor]) -> list[Tensor]:
        """What a function says of rows; in chunks, the graph of one at a time is held."""
        chunk = self.config.gradcache_chunk
        if not chunk or chunk >= len(rows):
            return [of(rows)]
        starts = range(0, len(rows), chunk)
        some = [rows.take(start, min(start + chunk, len(rows))) for start in starts]
        if not torch.is_grad_enabled():
            return [of(one) for one in some]
        return [checkpoint(of, one, use_reentrant=False) for one in some]

    def _contrastive(self, step: JointStep, features: Any | None) -> Tensor:
        assert step.pictures is not None and step.texts is not None
        pictures = self.vectors(step.pictures, "picture", features)
        texts = self.vectors(step.texts, "text")
        counts, rank = (step.counts, step.rank) if self.config.gather else ((len(texts),), 0)
        hard, held = self._hard(step)
        if len(counts) > 1:
            pictures, texts = (everyone(one, counts, rank) for one in (pictures, texts))
        if hard is not None and held is not None and len(counts) > 1:
            hard, held = _of_all(hard, held, counts, rank)
        same = step.same if self.config.mask_equal else None
        if not self.config.gather and same is not None:
            start = sum(step.counts[: step.rank])
            same = same[start : start + len(texts), start : start + len(texts)]
        scale: Tensor | float = self.config.scale
        if self.config.learnable_scale:
            scale = counted_once(self.log_scale, len(counts)).exp().clamp(max=_MOST)
        negatives = Negatives(same, hard, held, self.config.hardness_alpha)
        whole = contrastive_loss(pictures, texts, scale, negatives, self.config.symmetric)
        if not self.config.gather:
            return whole * len(texts) / step.target_count
        return one_share(whole, len(counts))

    def _hard(self, step: JointStep) -> tuple[Tensor | None, Tensor | None]:
        """(n, H, d) vectors of wrong texts, padded, and (n, H) which of them there are."""
        if not step.hard_most:
            return None, None
        places = torch.arange(step.hard_most, device=step.hard_counts.device)
        held = places < step.hard_counts[:, None]
        padded = self.log_scale.new_zeros(*held.shape, self.reader.dim)
        if step.hard is not None:
            padded = padded.masked_scatter(held[..., None], self.vectors(step.hard, "text"))
        return padded, held

    def _told(self, step: JointStep, features: Any | None) -> Tensor:
        """The sum of the loss over answer tokens here, of all those of the step."""
        if step.told is None:
            return self.log_scale.new_zeros(())
        sums = self._pieces(step.told, lambda some: self.vision.answer_loss(some, features)[0])
        return torch.stack(sums).sum() / max(1, step.answer_tokens)


def _of_all(
    hard: Tensor, held: Tensor, counts: tuple[int, ...], rank: int
) -> tuple[Tensor, Tensor]:
    """Wrong texts of all processes' pictures."""
    flat = everyone(hard.flatten(1), counts, rank)
    known = everyone(held.float(), counts, rank)
    return flat.view(len(flat), *hard.shape[1:]), known > 0.5
