"""Small grey pictures of things, by kind: what generated scenes and clips are made of.

Plain shapes are drawn here and need no data; garments are those of Fashion-MNIST, handed in by
whoever has the set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tastemaker.errors import BadInput

Grey = npt.NDArray[np.float32]
"""(H, W) from 0, nothing, to 1"""
GARMENTS = (
    "tee", "trouser", "pullover", "dress", "coat",
    "sandal", "shirt", "sneaker", "bag", "boot",
)  # fmt: skip
"""Classes of Fashion-MNIST by number; `tee` is its `T-shirt/top`."""
PIXELS = 28
"""Height and width of a sprite."""


@dataclass(frozen=True, eq=False)
class Sprites:
    """Pictures of each kind of thing."""

    names: tuple[str, ...]
    """(K,) what each kind is called, each a word or words of its own"""
    images: tuple[Grey, ...]
    """K arrays (n, 28, 28)"""
    rarity: tuple[float, ...]
    """(K,) how often each kind is drawn, summing to 1"""
    partners: tuple[int, ...]
    """(K,) the kind that each is often seen with, itself excepted"""
    lookalikes: tuple[int, ...]
    """(K,) the kind that each is easiest taken for"""


def shapes(variants: int = 40, seed: int = 0) -> Sprites:
    """Ten plain shapes, each in `variants` sizes, strokes and places; the same for one seed."""
    rng = np.random.default_rng(seed)
    images = tuple(
        np.stack([_drawn(inside, rng) for _ in range(variants)]) for inside in _INSIDE.values()
    )
    return _sprites(tuple(_INSIDE), images, (1, 0, 3, 2, 5, 4, 7, 6, 9, 8))


def garments(images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> Sprites:
    """Garments by class.

    Args:
        images: (N, 28, 28) of Fashion-MNIST.
        labels: (N,) class of each, 0 to 9.

    Raises:
        BadInput: If they are of another size, or a class has none.
    """
    if images.shape[1:] != (PIXELS, PIXELS) or len(images) != len(labels):
        what = f"Pictures of shape {images.shape} with {len(labels):,} labels are no garments."
        raise BadInput(what, "garments", "Give pictures and labels of Fashion-MNIST.")
    absent = [GARMENTS[k] for k in range(len(GARMENTS)) if not np.any(labels == k)]
    if absent or labels.max() >= len(GARMENTS):
        what = f"There is no {absent[0]}." if absent else f"Label {labels.max()} is no garment."
        raise BadInput(what, "garments", "Give pictures of all ten classes.")
    scaled = (images / np.float32(255)).astype(np.float32)
    kinds = tuple(scaled[labels == k] for k in range(len(GARMENTS)))
    return _sprites(GARMENTS, kinds, (6, 3, 4, 0, 2, 7, 0, 9, 3, 7))


def _sprites(
    names: tuple[str, ...], images: tuple[Grey, ...], lookalikes: tuple[int, ...]
) -> Sprites:
    weights = 1 / np.arange(2, len(names) + 2)
    many = len(names)
    partners = tuple((k + 3) % many for k in range(many))
    return Sprites(names, images, tuple(weights / weights.sum()), partners, lookalikes)


Inside = Callable[[Grey, Grey, float], npt.NDArray[np.bool_]]
"""(x, y, stroke), each from −1 to 1 → which pixels are of the shape."""


def _drawn(inside: Inside, rng: np.random.Generator) -> Grey:
    """A shape of a random size, stroke and grey, somewhat off the middle."""
    radius, stroke = rng.uniform(9, 13), rng.uniform(0.2, 0.35)
    middle = (PIXELS - 1) / 2 + rng.uniform(-1, 1, 2)
    grid = np.arange(PIXELS, dtype=np.float32)
    x = np.broadcast_to((grid[None, :] - middle[0]) / radius, (PIXELS, PIXELS))
    y = np.broadcast_to((grid[:, None] - middle[1]) / radius, (PIXELS, PIXELS))
    grey = np.float32(rng.uniform(0.6, 1.0))
    return np.where(inside(x, y, stroke), grey, np.float32(0)).astype(np.float32)


def _box(x: Grey, y: Grey) -> Grey:
    return np.asarray(np.maximum(np.abs(x), np.abs(y)))


def _round(x: Grey, y: Grey) -> Grey:
    return np.asarray(np.hypot(x, y))


def _triangle(x: Grey, y: Grey) -> Grey:
    """Below 1 inside a triangle that stands on its base."""
    return np.asarray(np.maximum(2 * np.abs(x) - y, y))


_INSIDE: dict[str, Inside] = {
    "square": lambda x, y, s: _box(x, y) < 0.85,
    "frame": lambda x, y, s: (_box(x, y) < 0.95) & (_box(x, y) > 0.95 - s),
    "disc": lambda x, y, s: _round(x, y) < 0.95,
    "ring": lambda x, y, s: (_round(x, y) < 1) & (_round(x, y) > 1 - s),
    "triangle": lambda x, y, s: _triangle(x, y) < 1,
    "kite": lambda x, y, s: np.abs(x) + np.abs(y) < 1,
    "cross": lambda x, y, s: (np.minimum(np.abs(x), np.abs(y)) < s / 2) & (_box(x, y) < 1),
    "star": lambda x, y, s: (np.minimum(np.abs(x - y), np.abs(x + y)) < s) & (_box(x, y) < 0.85),
    "bar": lambda x, y, s: (np.abs(y) < s) & (np.abs(x) < 1),
    "pole": lambda x, y, s: (np.abs(x) < s) & (np.abs(y) < 1),
}


def parted(sprites: Sprites, share: float, seed: int = 0) -> tuple[Sprites, Sprites]:
    """Sprites to train with and others to evaluate with, no picture in both.

    Args:
        sprites: All there are.
        share: Of each kind, held out; at least one picture stays on either side.
        seed: Of which.
    """
    rng = np.random.default_rng(seed)
    kept: list[Grey] = []
    held: list[Grey] = []
    for images in sprites.images:
        if len(images) < 2:
            raise BadInput("A kind has a single picture.", "sprites", "Give two or more of each.")
        order = rng.permutation(len(images))
        cut = min(max(1, round(share * len(images))), len(images) - 1)
        held.append(images[np.sort(order[:cut])])
        kept.append(images[np.sort(order[cut:])])
    return _with(sprites, kept), _with(sprites, held)


def _with(sprites: Sprites, images: Sequence[Grey]) -> Sprites:
    same = (sprites.names, tuple(images), sprites.rarity, sprites.partners, sprites.lookalikes)
    return Sprites(*same)
