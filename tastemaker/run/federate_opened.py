"""A federated classifier, saved beside its run and opened again: new rows → class probabilities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from tastemaker import artifacts, files
from tastemaker.config import from_json, to_json
from tastemaker.data.feature_columns import Float32s
from tastemaker.data.labelled import PictureForm, TableForm, read_inputs
from tastemaker.errors import BadInput
from tastemaker.federate.classifiers import Classifier, Cnn, Logistic, Mlp
from tastemaker.models.labelled_pictures import picture_inputs
from tastemaker.run.federate_results import KIND
from tastemaker.run.federate_scaling import Scaling
from tastemaker.run.folder import ITEMS
from tastemaker.weights import WEIGHTS, filled

MODEL = "model.json"
"""What the weights are of, and how a row is made an input."""
_ROWS = 4096


@dataclass(frozen=True)
class Saved:
    """All of a classifier but its weights."""

    shape: Logistic | Mlp | Cnn
    inputs: tuple[int, ...]
    """sizes of one input"""
    form: TableForm | PictureForm
    scaling: Scaling


@dataclass(frozen=True, eq=False)
class Opened:
    """A classifier that answers."""

    classes: tuple[str, ...]
    """names of the K classes"""
    saved: Saved
    model: nn.Module

    def probabilities(self, source: Any) -> npt.NDArray[np.float64]:
        """(N, K) probability of each class for new rows; each row sums to 1.

        Args:
            source: A table, in a file or in memory, with the columns that were learned from; or
                paths of pictures.

        Raises:
            BadData: With every row, column or picture that cannot be read.
        """
        inputs = self.saved.scaling(self._inputs(source))
        parts = [torch.from_numpy(inputs[start : start + _ROWS])
                 for start in range(0, len(inputs), _ROWS)]  # fmt: skip
        with torch.inference_mode():
            logits = torch.cat([self.model(part) for part in parts])
        found: npt.NDArray[np.float64] = logits.double().softmax(1).numpy()
        return found

    def _inputs(self, source: Any) -> Float32s:
        form = self.saved.form
        if isinstance(form, TableForm):
            return read_inputs(source, form)
        paths: Sequence[Any] = [source] if isinstance(source, str | Path) else source
        return picture_inputs([Path(path) for path in paths], form)


def built(saved: Saved) -> Classifier:
    """A fresh classifier of this kind."""
    return Classifier(saved.shape, saved.inputs, len(saved.form.classes))


def save_classifier(folder: Path, model: Classifier, saved: Saved) -> None:
    """Write a classifier's weights and what they are of into its run."""
    files.write_json(folder / MODEL, to_json(saved))
    with files.replaced(folder / WEIGHTS) as partial:
        files.save_tensors(partial, model.state_dict())


def open_federated(run: str | Path) -> Opened:
    """Open the classifier of a finished federation.

    Raises:
        ArtefactError: If no finished federation stands there, or it is damaged.
        BadInput: If it is one of a log.
    """
    folder = Path(run)
    artifacts.verify(folder, KIND)
    if (folder / ITEMS).exists():
        fix = "Open it with open_federated_log."
        raise BadInput("This federation learned from a log, not a classifier.", str(folder), fix)
    path = folder / MODEL
    saved = from_json(Saved, files.read_json(path), str(path))
    layers = len(saved.shape.hidden) if isinstance(saved.shape, Mlp) else 1
    model = filled(lambda: built(saved), folder / WEIGHTS, layers)
    answers = nn.Sequential(model.body, model.head).eval()
    return Opened(saved.form.classes, saved, answers)
