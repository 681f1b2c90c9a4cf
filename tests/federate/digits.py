"""Handwritten digits among clients, as the tests of this room share them."""

import numpy as np
import torch
from sklearn.datasets import load_digits

from tastemaker.federate.classifiers import Classifier, Mlp
from tastemaker.federate.examples import Examples
from tastemaker.federate.partitions import auxiliary, dirichlet, held_out


def digits() -> Examples:
    """1,797 pictures of 8 × 8, from 0 to 1."""
    found = load_digits()
    inputs = torch.from_numpy(found.data.astype(np.float32) / 16)
    return Examples(inputs, torch.from_numpy(found.target.astype(np.int64)))


class Silos:
    """Clients, the server's own examples, and a test; no example is in two of them."""

    def __init__(self, clients: int = 4, alpha: float = 0.3, seed: int = 0, size: int = 360):
        every = digits()
        pool, test = held_out(every.examples, 450, 0)
        pool = pool[:size]
        labels = every.labels.numpy()[pool]
        own, left = auxiliary(labels, 5, seed)
        parts = dirichlet(labels[left], clients, alpha, seed)
        self.test, self.auxiliary = every.of(test), every.of(pool[own])
        self.clients = {f"c{n}": every.of(pool[left[rows]]) for n, rows in enumerate(parts)}
        self.sizes = {name: data.examples for name, data in self.clients.items()}


def classifier(seed: int = 0) -> Classifier:
    """A small one, drawn from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Classifier(Mlp((16,)), (64,), 10)
