"""How good a global model is, on data that is held out from everybody."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from tastemaker.federate.client import federable
from tastemaker.federate.examples import Examples
from tastemaker.federate.fedssd import confusion
from tastemaker.seams import ClientData

Evaluate = Callable[[nn.Module], Mapping[str, float]]
"""`accuracy`, `worst_class`, `worst_client` and `loss` of a model, and what else is to be told."""
_ROWS = 1024
"""Examples looked at at once."""


def classification(
    test: Examples, classes: int, mixes: npt.NDArray[np.float64] | None = None
) -> Evaluate:
    """Accuracy on a test, over all, in the worst class, and for the worst client.

    Args:
        test: Held out from everybody.
        classes: How many, K.
        mixes: (C, K) share of each class in each client's data; a client's accuracy is then that
            on each class of the test, by these shares. None: it is not told.
    """

    def evaluate(model: nn.Module) -> dict[str, float]:
        logits, labels = predictions(model, test)
        predicted = logits.argmax(1)
        counts = confusion(labels, predicted, classes).double()
        of_class, right = counts.sum(1), counts.diagonal()
        present = of_class > 0
        recall = right / of_class.clamp(min=1)
        told = {
            "accuracy": float(right.sum() / len(labels)),
            "worst_class": float(recall[present].min()),
            "loss": float(functional.cross_entropy(logits.double(), labels)),
        }
        if mixes is not None:
            known = torch.from_numpy(mixes) * present
            told["worst_client"] = float((known @ recall / known.sum(1).clamp(min=1e-12)).min())
        return told

    return evaluate


def predictions(model: nn.Module, data: ClientData) -> tuple[Tensor, Tensor]:
    """Logits (T, K) and true classes (T,) of all targets of a data set, in eval mode."""
    device = next(model.parameters()).device
    before = model.training
    model.eval()
    logits, labels = [], []
    with torch.no_grad():
        for step in data.batches(_ROWS, 0).epoch(0):
            for part in step.parts(small=True):
                outputs = federable(model).outputs(part.to(device))
                logits.append(outputs.logits.cpu())
                labels.append(outputs.labels.cpu())
    model.train(before)
    return torch.cat(logits), torch.cat(labels)
