"""One labelled data set → a test, an auxiliary set of the server, and clients.

The test and the server's examples are taken out first, so no client holds them. Numbers are scaled
by what the server's examples say of them: nobody looks at what clients hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tastemaker.data.labelled import Labelled
from tastemaker.errors import BadInput
from tastemaker.federate.evaluation import Evaluate, classification
from tastemaker.federate.examples import Examples, ExampleStep
from tastemaker.federate.partitions import auxiliary, dirichlet
from tastemaker.run.federate_scaling import Scaling, scaling_of
from tastemaker.seams import Federable

_ROWS = 4096
"""Examples that are looked at at once."""

Float64s = npt.NDArray[np.float64]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PartitionConfig:
    """Who holds what; by the silos of the data where it names any."""

    clients: int = 10
    """that the examples are dealt to, where no silo is named"""
    alpha: float = 0.1
    """of the Dirichlet shares of each class; the smaller, the fewer classes a client holds"""
    least: int = 10
    """examples that each client is dealt"""
    test: float = 0.2
    """share of each class that is held out to measure by"""
    auxiliary: int = 10
    """examples of each class that the server holds"""

    def __post_init__(self) -> None:
        """Refuse values that mean nothing.

        Raises:
            BadInput: Naming the option.
        """
        if not 0 < self.test < 1:
            what = f"test = {self.test!r} is no share to hold out."
            raise BadInput(what, "--test", "Give a share above 0 and below 1, such as 0.2.")
        for name, examples in (("auxiliary", self.auxiliary), ("least", self.least)):
            if examples < 0:
                what = f"{name} = {examples!r} is no number of examples."
                raise BadInput(what, f"--{name}", "Give 0 or more.")


@dataclass(frozen=True, eq=False)
class Parts:
    """Who holds what."""

    test: Examples
    auxiliary: Examples | None
    """of the server; None: it has none"""
    scaling: Scaling
    names: tuple[str, ...]
    """of the C clients"""
    clients: Mapping[str, Examples] = field(default_factory=dict)
    """what they hold, where it is here"""
    held: Int64s | None = None
    """(C, K) examples of each class that each client learns from; None: nobody knows"""
    owners: Int64s | None = None
    """(N,) client of each example of the test; None: nobody's"""

    @property
    def mixes(self) -> Float64s | None:
        """(C, K) share of each class in what each client holds; None: nobody knows."""
        if self.held is None:
            return None
        share: Float64s = self.held / np.maximum(self.held.sum(1, keepdims=True), 1)
        return share

    def evaluate(self, classes: int) -> Evaluate:
        """Accuracy, of the worst class and of the worst client.

        A client's accuracy is that on its own examples of the test, where it has some; where nobody
        owns the test, that on each class by its share in what the client holds.
        """
        if self.owners is None:
            return classification(self.test, classes, self.mixes)
        whole = classification(self.test, classes)

        def evaluate(model: nn.Module) -> Mapping[str, float]:
            of_client = self.accuracies(model)
            return {**whole(model), "worst_client": float(np.nanmin(of_client))}

        return evaluate

    def accuracies(self, model: nn.Module) -> Float64s:
        """(C,) accuracy for each client, as `evaluate` takes it; NaN where its test is empty."""
        labels = self.test.labels.numpy()
        right = (_predicted(model, self.test) == labels).astype(np.float64)
        if self.owners is not None:
            return _shares(right, self.owners, len(self.names))
        if (mixes := self.mixes) is None:
            return np.full(len(self.names), np.nan)
        recall = _shares(right, labels, mixes.shape[1])
        present = mixes * ~np.isnan(recall)
        with np.errstate(invalid="ignore"):
            found: Float64s = present @ np.nan_to_num(recall) / present.sum(1)
        return found


def _predicted(model: nn.Module, data: Examples) -> Int64s:
    """(N,) likeliest class of each example, in their own order."""
    answers = cast("Federable", model)
    model.eval()
    starts = range(0, data.examples, _ROWS)
    steps = [(data.inputs[at : at + _ROWS], data.labels[at : at + _ROWS]) for at in starts]
    with torch.inference_mode():
        found = [
            answers.outputs(ExampleStep(inputs, labels, len(labels))).logits.argmax(1)
            for inputs, labels in steps
        ]
    rows: Int64s = torch.cat(found).numpy()
    return rows


def _shares(right: Float64s, groups: Int64s, size: int) -> Float64s:
    """(size,) share that is right of each group; NaN where it has none."""
    with np.errstate(invalid="ignore"):
        share: Float64s = np.bincount(groups, right, size) / np.bincount(groups, minlength=size)
    return share


def parted(data: Labelled, config: PartitionConfig, seed: int) -> Parts:
    """Take out the test and the server's examples, and leave the others to clients.

    Raises:
        BadInput: If a client has no examples left, or there are too few to deal.
    """
    test, pool = _test_rows(data.labels, config.test, seed)
    chosen, left = auxiliary(data.labels[pool], config.auxiliary, seed)
    names, rows = _clients(data, pool[left], config, seed)
    server, scaling = _of_server(data, pool[chosen])
    counts = [np.bincount(data.labels[some], minlength=len(data.classes)) for some in rows]
    return Parts(
        examples(data.rows(test), scaling),
        server,
        scaling,
        tuple(names),
        {n: examples(data.rows(some), scaling) for n, some in zip(names, rows, strict=True)},
        np.stack(counts),
        None if data.silo is None else data.silo[test],
    )


def of_server(data: Labelled, config: PartitionConfig, seed: int, names: Sequence[str]) -> Parts:
    """What a server has that knows nothing of its clients but their names.

    Args:
        data: Of the server: some are its examples, and all others the test.
        config: How many of each class are its examples.
        seed: Of the choice.
        names: Of the clients.
    """
    chosen, test = auxiliary(data.labels, config.auxiliary, seed)
    server, scaling = _of_server(data, chosen)
    return Parts(examples(data.rows(test), scaling), server, scaling, tuple(names))


def examples(data: Labelled, scaling: Scaling) -> Examples:
    """What a model learns from."""
    return Examples(torch.from_numpy(scaling(data.inputs)), torch.from_numpy(data.labels))


def _of_server(data: Labelled, chosen: Int64s) -> tuple[Examples | None, Scaling]:
    """The server's examples, and the scaling by them."""
    own = data.rows(chosen)
    scaling = scaling_of(data.form, own.inputs)
    return examples(own, scaling) if len(chosen) else None, scaling


def _test_rows(labels: Int64s, share: float, seed: int) -> tuple[Int64s, Int64s]:
    """Rows of the test, some of each class, and the others; each rising."""
    rng = np.random.default_rng([seed, 0])
    taken = []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        taken.append(rows[: min(max(1, round(share * len(rows))), max(1, len(rows) - 2))])
    test = np.sort(np.concatenate(taken))
    return test, np.setdiff1d(np.arange(len(labels)), test)


def _clients(
    data: Labelled, left: Int64s, config: PartitionConfig, seed: int
) -> tuple[list[str], list[Int64s]]:
    """Names of clients, and the rows of each."""
    if data.silo is None:
        dealt = dirichlet(data.labels[left], config.clients, config.alpha, seed, config.least)
        width = len(str(config.clients))
        return [f"{n:0{width}d}" for n in range(1, config.clients + 1)], [left[d] for d in dealt]
    rows = [left[data.silo[left] == place] for place in range(len(data.silos))]
    empty = [name for name, some in zip(data.silos, rows, strict=True) if not len(some)]
    if empty:
        what = f"Nothing is left to learn from in {len(empty):,} of {len(rows):,} silos, as all of"
        what += " it is in the test or at the server."
        fix = "Leave these silos out, or hold out less with --test and --auxiliary."
        raise BadInput(what, f"silo {empty[0]}", fix)
    return list(data.silos), rows
