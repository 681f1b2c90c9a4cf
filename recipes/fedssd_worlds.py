"""What federated training is measured on: pictures of ten classes, dealt to ten clients."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from sklearn.datasets import load_digits

from tastemaker.federate.classifiers import Mlp, Shape
from tastemaker.federate.examples import Examples
from tastemaker.federate.partitions import auxiliary, dirichlet, held_out

CLASSES, CLIENTS, PER_CLASS = 10, 10, 10


@dataclass(frozen=True)
class World:
    """What a recipe trains on; one name stands for one world."""

    every: Callable[[], Examples]
    """all pictures, from 0 to 1"""
    shape: Shape
    test: int
    """pictures of the test, the same for all seeds"""
    validation: int
    """pictures that settings are chosen by"""


@lru_cache
def digits() -> Examples:
    """1,797 pictures of 8 × 8."""
    read = load_digits()
    inputs = torch.from_numpy(read.data.astype(np.float32) / 16)
    return Examples(inputs, torch.from_numpy(read.target.astype(np.int64)))


DIGITS = World(digits, Mlp((64, 64)), test=450, validation=300)


def silos(
    world: World, seed: int, alpha: float, validate: bool
) -> tuple[Examples, Examples, list[Examples]]:
    """What is measured on, the server's examples, and those of each client.

    Args:
        world: Whose pictures.
        seed: Of the auxiliary set and the partition; the test is the same for all.
        alpha: Of the Dirichlet distribution.
        validate: Measure on a part of the pool, which is then nobody's, instead of the test.
    """
    every = world.every()
    pool, measured = held_out(every.examples, world.test, 0)
    if validate:
        kept, chosen = held_out(len(pool), world.validation, 1)
        pool, measured = pool[kept], pool[chosen]
    labels = every.labels.numpy()
    own, left = auxiliary(labels[pool], PER_CLASS, seed)
    parts = dirichlet(labels[pool[left]], CLIENTS, alpha, seed)
    return every.of(measured), every.of(pool[own]), [every.of(pool[left[rows]]) for rows in parts]
