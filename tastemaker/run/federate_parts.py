"""One labelled data set → a test, an auxiliary set of the server, and clients.

The test and the server's examples are taken out first, so no client holds them. Numbers are scaled
by what the server's examples say of them: nobody looks at what clients hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tastemaker.data.labelled import Form, Labelled, TableForm
from tastemaker.errors import BadInput
from tastemaker.federate.evaluation import Evaluate, classification
from tastemaker.federate.examples import Examples, ExampleStep
from tastemaker.federate.partitions import auxiliary, dirichlet
from tastemaker.seams import Federable

FARTHEST = 10.0
"""Standard deviations from the mean at which a number is cut: the server may have seen few."""
_ROWS = 4096
"""Examples that are looked at at once."""

Float32s = npt.NDArray[np.float32]
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
        if self.auxiliary < 0:
            what = f"auxiliary = {self.auxiliary!r} is no number of examples."
            raise BadInput(what, "--auxiliary", "Give 0 or more.")


@dataclass(frozen=True)
class Scaling:
    """(x − mean) / deviation of each feature, cut at `FARTHEST`; of nothing: pictures as they are.

    Categories have mean 0 and deviation 1: they stay 0 and 1.
    """

    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()

    def __call__(self, inputs: Float32s) -> Float32s:
        """(N, F) scaled, or pictures as they came."""
        if not self.mean:
            return inputs
        mean, deviation = (np.array(one, np.float32) for one in (self.mean, self.deviation))
        scaled: Float32s = np.clip((inputs - mean) / deviation, -FARTHEST, FARTHEST)
        return scaled


@dataclass(frozen=True, eq=False)
class Parts:
    """Who holds what."""

    test: Examples
    auxiliary: Examples | None
    """of the server; None: it has none"""
    clients: Mapping[str, Examples]
    scaling: Scaling
    held: Int64s
    """(C, K) examples of each class that each client learns from"""
    owners: Int64s | None
    """(N,) client of each example of the test; None: nobody's"""

    @property
    def mixes(self) -> Float64s:
        """(C, K) share of each class in what each client holds."""
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
        clients, classes = self.held.shape
        if self.owners is not None:
            return _shares(right, self.owners, clients)
        recall = _shares(right, labels, classes)
        present = self.mixes * ~np.isnan(recall)
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
    server, left = pool[chosen], pool[left]
    names, rows = _clients(data, left, config, seed)
    scaling = _scaling(data.form, data.inputs[server])

    def examples(some: Int64s) -> Examples:
        inputs = torch.from_numpy(scaling(data.inputs[some]))
        return Examples(inputs, torch.from_numpy(data.labels[some]))

    counts = [np.bincount(data.labels[some], minlength=len(data.classes)) for some in rows]
    return Parts(
        examples(test),
        examples(server) if len(server) else None,
        {name: examples(some) for name, some in zip(names, rows, strict=True)},
        scaling,
        np.stack(counts),
        None if data.silo is None else data.silo[test],
    )


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


def _scaling(form: Form, inputs: Float32s) -> Scaling:
    """What the server's examples say of the numbers among the features."""
    if not isinstance(form, TableForm) or not len(inputs):
        return Scaling()
    numbers = np.concatenate([[not some] * max(1, len(some))
                              for some in form.columns.categories.values()])  # fmt: skip
    mean, deviation = inputs.mean(0, dtype=np.float64), inputs.std(0, dtype=np.float64)
    usual = numbers & (deviation > 0)
    return Scaling(
        tuple(np.where(numbers, mean, 0).tolist()), tuple(np.where(usual, deviation, 1).tolist())
    )
