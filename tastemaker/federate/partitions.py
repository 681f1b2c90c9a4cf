"""Who holds what: one data set → an auxiliary set of the server, a test, and clients that differ.

Label skew is drawn as usual in the literature: each class is dealt to the clients by shares from a
Dirichlet distribution. Everything depends on (labels, options, seed) alone.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tastemaker.counts import counted
from tastemaker.data.contexts import Int64s
from tastemaker.errors import BadInput

_DRAWS = 1000
"""Draws of a partition after which there is none with enough for everybody."""


def held_out(examples: int, size: int, seed: int) -> tuple[Int64s, Int64s]:
    """Split at random into what is trained on and a test.

    Args:
        examples: How many there are.
        size: Of the test.
        seed: Of the order.

    Returns:
        Rows of the pool and of the test, each rising.
    """
    order = np.random.default_rng([seed, 0]).permutation(examples)
    return np.sort(order[size:]), np.sort(order[:size])


def auxiliary(labels: Int64s, per_class: int, seed: int) -> tuple[Int64s, Int64s]:
    """Take a few examples of each class for the server.

    Args:
        labels: (N,) class of each.
        per_class: To take of each class, but no more than half of what it has.
        seed: Of the choice.

    Returns:
        Rows of the server's set, and those that are left; each rising.
    """
    rng = np.random.default_rng([seed, 1])
    taken = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        taken.append(rows[: min(per_class, len(rows) // 2)])
    chosen = np.sort(np.concatenate([np.empty(0, np.int64), *taken]))
    return chosen, np.setdiff1d(np.arange(len(labels)), chosen)


def dirichlet(
    labels: Int64s, clients: int, alpha: float, seed: int, least: int = 10
) -> list[Int64s]:
    """Deal every example to one client; the smaller alpha, the fewer classes a client holds.

    Class by class the clients' shares are drawn from Dir(alpha); one that holds its even part of
    all examples already gets no more. Drawn again until everybody has enough.

    Args:
        labels: (N,) class of each.
        clients: How many.
        alpha: Concentration, above 0.
        seed: Of the draws.
        least: Examples that each must have.

    Returns:
        For each client its rows, rising.

    Raises:
        BadInput: If there are not enough examples, or no draw gave everybody enough.
    """
    wanted = f"{clients} clients of at least {counted(least, 'example')}"
    if not alpha > 0 or clients < 1:
        what = f"alpha is {alpha:g} and there are {counted(clients, 'client')}."
        raise BadInput(what, "partition", "Both must be above 0.")
    if len(labels) < clients * least:
        what = f"{counted(len(labels), 'example')} do not do for {wanted}."
        raise BadInput(what, "partition", "Take fewer clients, or a smaller least number.")
    rng = np.random.default_rng([seed, 2])
    classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    for _ in range(_DRAWS):
        owners = _dealt(classes, clients, alpha, rng)
        if np.bincount(owners, minlength=clients).min() >= least:
            return [np.flatnonzero(owners == client) for client in range(clients)]
    what = f"{_DRAWS:,} draws with alpha {alpha:g} gave none with {wanted}."
    raise BadInput(
        what, "partition", "Take fewer clients, a larger alpha or a smaller least number."
    )


def _dealt(classes: list[Int64s], clients: int, alpha: float, rng: np.random.Generator) -> Int64s:
    """(N,) owner of every example, in one draw."""
    total = sum(map(len, classes))
    owners = np.empty(total, np.int64)
    held = np.zeros(clients, np.int64)
    for rows in classes:
        free = held * clients < total
        shares = rng.dirichlet(np.full(clients, alpha)) * free
        shares = shares / shares.sum() if shares.sum() > 0 else free / free.sum()
        cuts = (np.cumsum(shares)[:-1] * len(rows)).astype(np.int64)
        dealt = np.repeat(np.arange(clients), np.diff([0, *cuts, len(rows)]))
        owners[rng.permutation(rows)] = dealt
        held += np.bincount(dealt, minlength=clients)
    return owners


def by_value(values: npt.NDArray[np.generic]) -> dict[str, Int64s]:
    """Clients as a column names them.

    Args:
        values: (N,) what the column says of each example.

    Returns:
        Name → rows, in the order of the names.
    """
    names, owners = np.unique(values, return_inverse=True)
    return {str(name): np.flatnonzero(owners == place) for place, name in enumerate(names)}


def mixes(labels: Int64s, parts: list[Int64s], classes: int) -> npt.NDArray[np.float64]:
    """(C, K) share of each class in what each client holds."""
    counts = np.stack([np.bincount(labels[rows], minlength=classes) for rows in parts])
    shares: npt.NDArray[np.float64] = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    return shares
