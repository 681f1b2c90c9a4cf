"""Arithmetic: generated sums, differences and products, with none of the held-out ones in training.

Two problems that differ in the order of what is added or multiplied are the same problem, so the
held-out ones cannot be answered by having seen them the other way round.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tastemaker.errors import BadInput

OPERATIONS = ("+", "-", "*")


@dataclass(frozen=True)
class ArithmeticOptions:
    """What is asked, and how much of it."""

    train: int = 1000
    """problems to train with"""
    held_out: int = 200
    """problems to evaluate with"""
    terms: int = 2
    """numbers of a problem"""
    largest: int = 99
    """numbers are 0 to this"""
    operations: str = "+-"
    """which of +, - and *; a problem has one of them, each as often as the others"""
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what cannot be generated."""
        where = "arithmetic"
        if min(self.train, self.held_out) < 0 or self.train + self.held_out < 1:
            what = f"{self.train} problems to train with and {self.held_out} held out are none."
            raise BadInput(what, where, "Give 0 or more of each, and 1 or more in all.")
        if not 2 <= self.terms <= 20 or not 1 <= self.largest <= 10**9:
            what = f"{self.terms} numbers from 0 to {self.largest} make no problem."
            raise BadInput(what, where, "Give 2 to 20 terms, and 1 to 1,000,000,000 as largest.")
        if not self.operations or not set(self.operations) <= set(OPERATIONS):
            what = f"Not all of {self.operations!r} are operations."
            raise BadInput(what, where, f"Give one or more of {' '.join(OPERATIONS)}.")


@dataclass(frozen=True)
class ArithmeticProblem:
    """A problem of arithmetic."""

    operation: str
    terms: tuple[int, ...]

    @property
    def text(self) -> str:
        """As it is asked: `12 + 7`."""
        return f" {self.operation} ".join(map(str, self.terms))

    @property
    def answer(self) -> int:
        """The right answer."""
        first, *rest = self.terms
        if self.operation == "*":
            return math.prod(self.terms)
        return first + sum(rest) if self.operation == "+" else first - sum(rest)

    @property
    def key(self) -> tuple[str, tuple[int, ...]]:
        """The same for problems that differ in an order that does not matter."""
        if self.operation == "-":
            return self.operation, (self.terms[0], *sorted(self.terms[1:]))
        return self.operation, tuple(sorted(self.terms))


@dataclass(frozen=True)
class Arithmetic:
    """Problems, no two of them the same."""

    train: tuple[ArithmeticProblem, ...]
    held_out: tuple[ArithmeticProblem, ...]


def arithmetic(options: ArithmeticOptions) -> Arithmetic:
    """Generate problems.

    Raises:
        BadInput: If there are not so many different ones.
    """
    many = options.train + options.held_out
    operations = sorted(set(options.operations))
    shares = [
        many // len(operations) + (n < many % len(operations)) for n in range(len(operations))
    ]
    rng = np.random.default_rng(options.seed)
    problems: list[ArithmeticProblem] = []
    for operation, share in zip(operations, shares, strict=True):
        problems += _different(operation, share, options, rng)
    mixed = [problems[place] for place in rng.permutation(many)]
    return Arithmetic(tuple(mixed[: options.train]), tuple(mixed[options.train :]))


def _different(
    operation: str, many: int, options: ArithmeticOptions, rng: np.random.Generator
) -> Iterator[ArithmeticProblem]:
    numbers, free = options.largest + 1, options.terms - (operation == "-")
    possible = math.comb(numbers + free - 1, free) * (numbers if operation == "-" else 1)
    if many > possible // 2:
        what = f"{many:,} problems with {operation} are asked for, and of {possible:,} different "
        what += "ones at most half are drawn."
        raise BadInput(what, "arithmetic", "Ask for fewer, or give more terms or a larger largest.")
    seen: set[tuple[str, tuple[int, ...]]] = set()
    while len(seen) < many:
        terms = rng.integers(0, numbers, options.terms).tolist()
        problem = ArithmeticProblem(operation, tuple(terms))
        if problem.key not in seen:
            seen.add(problem.key)
            yield problem
